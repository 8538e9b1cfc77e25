"""The smallest SCEP and OCSP peer that clients accept, out of openssl commands.

It exists to draw messages out of foreign clients (see `capture`): it grants what knows the challenge and keeps
nothing but what OCSP needs. No part of the product, and nothing of the product is in it.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from . import asn1, openssl, scep
from .process import run
from .recorder import Exchange, reply

CAPABILITIES = "Renewal SHA-1 SHA-256 SHA-384 SHA-512 AES DES3 SCEPStandard POSTPKIOperation"
EXTENSIONS = "keyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=clientAuth,serverAuth"


class PlainCa:
    """Answers GetCACaps, GetCACert, PKIOperation and OCSP for the CA kept in `folder`."""

    def __init__(self, folder: Path, scratch: Path, challenge: str = ""):
        self.folder = folder
        self.challenge = challenge
        self.capabilities = CAPABILITIES
        self.extensions = EXTENSIONS
        self.index = scratch / "index.txt"
        self.index.write_text("")
        (scratch / "index.txt.attr").write_text("unique_subject = no\n")
        self.record(folder / "ca.pem")

    def __call__(self, exchange: Exchange) -> bytes:
        if not exchange.operation:
            return reply(self.status(exchange.message), "application/ocsp-response")
        if exchange.operation == "GetCACaps":
            return reply("\r\n".join(self.capabilities.split()).encode(), "text/plain")
        if exchange.operation == "GetCACert":
            ca = openssl.der(self.folder / "ca.pem")
            return reply(ca, "application/x-x509-ca-cert")
        return reply(self._enroll(exchange.message), "application/x-pki-message")

    def status(self, request: bytes) -> bytes:
        """The OCSP response to a request."""
        with TemporaryDirectory() as scratch:
            asked, answered = Path(scratch) / "q", Path(scratch) / "a"
            asked.write_bytes(request)
            run(
                "openssl", "ocsp", "-index", self.index, "-CA", self.folder / "ca.pem",
                "-rsigner", self.folder / "ca.pem", "-rkey", self.folder / "ca.key",
                "-reqin", asked, "-respout", answered, "-ndays", "7",
            ).ok()  # fmt: skip
            return answered.read_bytes()

    def _enroll(self, request: bytes) -> bytes:
        ca, key = self.folder / "ca.pem", self.folder / "ca.key"
        with TemporaryDirectory() as scratch:
            place = Path(scratch)
            signer = place / "signer.pem"
            verify = ["openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-binary"]
            sealed = run(*verify, "-signer", signer, stdin=request).ok().out
            (place / "csr.der").write_bytes(scep.open_envelope(sealed, ca, key))
            asking = ["openssl", "req", "-inform", "DER", "-in", place / "csr.der"]
            run(*asking, "-out", place / "csr").ok()
            challenge = "challengePassword:" + "".join(self.challenge.split())
            # A renewal says who it is by its signer and needs no challenge.
            renews = run("openssl", "verify", "-CAfile", ca, signer).status == 0
            text = "".join(run(*asking, "-noout", "-text").ok().out.decode().split())
            granted = renews or not self.challenge or challenge in text
            info = asn1.read(request)[1][0].children[-1][0]
            asked = {asn1.read_oid(a[0].value): a[1][0].value for a in info[3].children}
            shape = scep.Shape(transaction_id=asked[scep.TRANSACTION_ID].decode())
            nonce = scep.attribute(scep.RECIPIENT_NONCE, asn1.octets(asked[scep.SENDER_NONCE]))
            status = scep.attribute(scep.PKI_STATUS, asn1.printable("0" if granted else "2"))
            if not granted:
                reason = scep.attribute(scep.FAIL_INFO, asn1.printable("2"))
                return scep.message(scep.CERT_REP, b"", ca, key, shape, (nonce, status, reason))
            issued = openssl.issue(self.folder, place / "csr", place / "issued.pem", self.extensions)
            self.record(issued)
            certificates = ["openssl", "crl2pkcs7", "-nocrl", "-certfile", issued]
            bundle = run(*certificates, "-outform", "DER").ok().out
            password = None if scep.key_algorithm(signer) == "rsaEncryption" else self.challenge
            content = scep.envelope(bundle, signer, shape, password)
            return scep.message(scep.CERT_REP, content, ca, key, shape, (nonce, status))

    def record(self, certificate: Path, revoked: bool = False) -> None:
        """Makes a certificate known to the OCSP side."""
        serial = openssl.field(certificate, "serial")
        subject = openssl.field(certificate, "subject").replace(" ", "")
        state = "R\t491231235959Z\t260101000000Z,keyCompromise" if revoked else "V\t491231235959Z\t"
        lines = self.index.read_text().splitlines(keepends=True)
        kept = [line for line in lines if line.split("\t")[3] != serial]
        self.index.write_text("".join([*kept, f"{state}\t{serial}\tunknown\t/{subject}\n"]))
