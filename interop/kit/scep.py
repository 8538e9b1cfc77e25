"""SCEP messages with any digest, cipher and encoding, made with the openssl command.

Written from RFC 8894 and RFC 5652, independent of the product, so that two readings of the
documents meet in the tests. Knows nothing of HTTP.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from . import asn1, openssl
from .process import run

PKCS_REQ, RENEWAL_REQ, CERT_POLL, GET_CERT, GET_CRL, CERT_REP = 19, 17, 20, 21, 22, 3

DIGESTS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
SIGNATURES = {
    "md5": "1.2.840.113549.1.1.4",
    "sha1": "1.2.840.113549.1.1.5",
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
}
ECDSA = {
    "sha1": "1.2.840.10045.4.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}
ED25519 = "1.3.101.112"
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SCEP = "2.16.840.1.113733.1.9."
MESSAGE_TYPE, PKI_STATUS, FAIL_INFO = SCEP + "2", SCEP + "3", SCEP + "4"
SENDER_NONCE, RECIPIENT_NONCE, TRANSACTION_ID = SCEP + "5", SCEP + "6", SCEP + "7"


@dataclass
class Shape:
    """How a message is made: algorithms, and how its outer encoding departs from DER."""

    digest: str = "sha256"
    cipher: str = "aes-128-cbc"
    oaep: str | None = None
    signature_oid: str = "rsaEncryption"
    inner_streamed: bool = False
    outer_chunk: int | None = None
    transaction_id: str = ""
    nonce: bytes = field(default_factory=lambda: os.urandom(16))


def envelope(
    content: bytes, recipient: Path, shape: Shape, password: str | None = None
) -> bytes:
    """EnvelopedData for the recipient's certificate, or for those who know a password."""
    command = ["openssl", "cms", "-encrypt", "-binary", "-outform", "DER", f"-{shape.cipher}"]
    command += ["-provider", "default", "-provider", "legacy"]
    command += ["-stream"] if shape.inner_streamed else []
    command += ["-recip", recipient] if password is None else ["-pwri_password", password]
    if shape.oaep:
        command += ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", f"rsa_oaep_md:{shape.oaep}"]
        command += ["-keyopt", f"rsa_mgf1_md:{shape.oaep}"]
    return run(*command, stdin=content).ok().out


def message(
    kind: int, content: bytes, signer: Path, key: Path, shape: Shape, extra: tuple[bytes, ...] = ()
) -> bytes:
    """A whole pkiMessage: SignedData over the envelope, signed by `key` as `signer`."""
    transaction_id = shape.transaction_id or os.urandom(16).hex()
    algorithm = key_algorithm(signer)
    digest = run("openssl", "dgst", f"-{shape.digest}", "-binary", stdin=content).ok().out
    attributes = asn1.set_of(
        attribute(CONTENT_TYPE, asn1.oid(DATA)),
        attribute(MESSAGE_DIGEST, asn1.octets(digest)),
        attribute(MESSAGE_TYPE, asn1.printable(str(kind))),
        attribute(SENDER_NONCE, asn1.octets(shape.nonce)),
        attribute(TRANSACTION_ID, asn1.printable(transaction_id)),
        *extra,
    )
    with TemporaryDirectory() as folder:
        (Path(folder) / "attributes").write_bytes(attributes)
        signing = ["openssl", "dgst", f"-{shape.digest}", "-sign", key]
        if algorithm == "ED25519":
            signing = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in"]
        signature = run(*signing, Path(folder) / "attributes").ok().out
    certificate = openssl.der(signer)
    tbs = asn1.read(certificate)[0]
    serial, issuer = tbs[1].raw, tbs[3].raw
    digesting = asn1.sequence(asn1.oid(DIGESTS[shape.digest]), asn1.null())
    named = asn1.sequence(asn1.oid(RSA_ENCRYPTION), asn1.null())
    if algorithm == "ED25519":
        named = asn1.sequence(asn1.oid(ED25519))
    elif algorithm == "id-ecPublicKey":
        named = asn1.sequence(asn1.oid(ECDSA[shape.digest]))
    elif shape.signature_oid != "rsaEncryption":
        named = asn1.sequence(asn1.oid(SIGNATURES[shape.digest]), asn1.null())
    info = asn1.sequence(
        asn1.integer(1),
        asn1.sequence(issuer, serial),
        digesting,
        b"\xa0" + attributes[1:],
        named,
        asn1.octets(signature),
    )
    parts = [asn1.integer(1), asn1.set_of(digesting)]
    tail = [asn1.tlv(0xA0, certificate), asn1.set_of(info)]
    if shape.outer_chunk is None:
        inner = asn1.sequence(asn1.oid(DATA), asn1.tlv(0xA0, asn1.octets(content)))
        signed = asn1.sequence(*parts, inner, *tail)
        return asn1.sequence(asn1.oid(SIGNED_DATA), asn1.tlv(0xA0, signed))
    pieces = asn1.chunked(content, shape.outer_chunk)
    inner = asn1.indefinite(0x30, asn1.oid(DATA), asn1.indefinite(0xA0, pieces))
    signed = asn1.indefinite(0x30, *parts, inner, *tail)
    return asn1.indefinite(0x30, asn1.oid(SIGNED_DATA), asn1.indefinite(0xA0, signed))


def key_algorithm(certificate: Path) -> str:
    """A certificate's key algorithm as openssl names it: `rsaEncryption`, `id-ecPublicKey`, …"""
    return openssl.show(certificate).partition("Public Key Algorithm: ")[2].split("\n")[0]


def attribute(name: str, value: bytes) -> bytes:
    return asn1.sequence(asn1.oid(name), asn1.tlv(0x31, value))


@dataclass
class Reply:
    """What a CertRep says, after openssl has verified its signature."""

    status: int
    fail_info: int | None
    transaction_id: str
    recipient_nonce: bytes
    digest: str
    signature: str
    content: bytes


def read_reply(der: bytes, ca: Path) -> Reply:
    """Reads a CertRep; openssl verifies its signature, the CA file says who may have signed."""
    signed = asn1.read(der)[1][0]
    info = signed.children[-1][0]
    values = {asn1.read_oid(a[0].value): a[1][0].value for a in info[3].children}
    if values[MESSAGE_TYPE] != str(CERT_REP).encode():
        raise AssertionError(f"message type {values[MESSAGE_TYPE]!r}, not a CertRep")
    verify = ["openssl", "cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any"]
    verify += ["-CAfile", ca, "-certfile", ca, "-partial_chain"]
    # A failure or a pending carries no content; the digest is then that of nothing.
    empty = len(signed[2].children) == 1
    verify += ["-content", "/dev/null"] if empty else []
    fail = values.get(FAIL_INFO)
    return Reply(
        status=int(values[PKI_STATUS]),
        fail_info=None if fail is None else int(fail),
        transaction_id=values[TRANSACTION_ID].decode(),
        recipient_nonce=values[RECIPIENT_NONCE],
        digest=asn1.read_oid(info[2][0].value),
        signature=asn1.read_oid(info[4][0].value),
        content=run(*verify, stdin=der).ok().out,
    )


def open_envelope(
    content: bytes, certificate: Path, key: Path, password: str | None = None
) -> bytes:
    """Decrypts a reply's EnvelopedData with the client's key, or with a password."""
    command = ["openssl", "cms", "-decrypt", "-inform", "DER", "-binary"]
    command += ["-provider", "default", "-provider", "legacy"]
    if password is None:
        command += ["-recip", certificate, "-inkey", key]
    else:
        command += ["-pwri_password", password]
    return run(*command, stdin=content).ok().out


def recipients(content: bytes) -> set[str]:
    """The kinds of recipient that an EnvelopedData names: `key transport`, `password`, …"""
    kinds = {0x30: "key transport", 0xA1: "key agreement", 0xA3: "password"}
    infos = next(node for node in asn1.read(content)[1][0].children if node.tag == 0x31)
    return {kinds.get(info.tag, hex(info.tag)) for info in infos.children}


def cipher(content: bytes) -> str:
    """The content cipher of an EnvelopedData: an object identifier."""
    return asn1.read_oid(asn1.read(content)[1][0].children[-1][1][0].value)


def key_transport(content: bytes) -> str:
    """How an EnvelopedData's first recipient gets its key: an object identifier."""
    infos = next(node for node in asn1.read(content)[1][0].children if node.tag == 0x31)
    return asn1.read_oid(infos[0][2][0].value)


def certificates(degenerate: bytes, out: Path) -> Path:
    """The certificates of a degenerate SignedData, as PEM, in the order sent."""
    certs = asn1.read(degenerate)[1][0]
    held = next(node for node in certs.children if node.tag == 0xA0)
    pem = b"".join(
        run("openssl", "x509", "-inform", "DER", stdin=node.raw).ok().out for node in held.children
    )
    out.write_bytes(pem)
    return out


def crl(degenerate: bytes, out: Path) -> Path:
    """The CRL of a degenerate SignedData, as PEM."""
    lists = asn1.read(degenerate)[1][0]
    held = next(node for node in lists.children if node.tag == 0xA1)
    out.write_bytes(run("openssl", "crl", "-inform", "DER", stdin=held[0].raw).ok().out)
    return out
