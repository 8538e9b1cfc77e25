"""A second SCEP client, built on openssl commands: the yardstick beside the foreign ones."""

import os
from base64 import b64encode
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from . import asn1, openssl, scep
from .http import Answer, fetch
from .process import run

SUCCESS, FAILURE, PENDING = 0, 2, 3
BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST, BAD_TIME, BAD_CERT_ID = range(5)


@dataclass
class Authority:
    """What GetCACert announced: the issuing CA, whom to encrypt for, and everything sent."""

    ca: Path
    recipient: Path
    all: Path


@dataclass
class Identity:
    """A key with the certificate that signs its messages."""

    key: Path
    certificate: Path


class ScepClient:
    """Talks to one SCEP address; keeps its files in a folder."""

    def __init__(self, url: str, work: Path):
        self.url, self.work = url, work
        self._authority: Authority | None = None
        self._made = 0

    def query(self, operation: str, message: str | None = None) -> Answer:
        tail = "" if message is None else f"&message={message}"
        return fetch(f"{self.url}?operation={operation}{tail}")

    def capabilities(self) -> set[str]:
        return set(self.query("GetCACaps").ok().body.decode().split())

    def authority(self) -> Authority:
        if self._authority is None:
            answer = self.query("GetCACert").ok()
            everything = self._file("ca.pem")
            if answer.content_type == "application/x-x509-ca-cert":
                pem = run("openssl", "x509", "-inform", "DER", stdin=answer.body).ok().out
                everything.write_bytes(pem)
            elif answer.content_type == "application/x-x509-ca-ra-cert":
                scep.certificates(answer.body, everything)
            else:
                raise AssertionError(f"GetCACert came as {answer.content_type!r}")
            self._authority = self._roles(everything)
        return self._authority

    def _roles(self, everything: Path) -> Authority:
        ca = recipient = None
        for pem in everything.read_text().split("-----BEGIN")[1:]:
            file = self._file("announced.pem")
            file.write_text("-----BEGIN" + pem)
            text = openssl.show(file)
            if "CA:TRUE" in text:
                ca = ca or file
            if "Key Encipherment" in text and recipient is None:
                recipient = file
        if ca is None:
            raise AssertionError("GetCACert announced no CA certificate")
        return Authority(ca, recipient or ca, everything)

    def identity(self, subject: str, algorithm: str = "rsa:2048") -> Identity:
        """A new key with a self-signed certificate."""
        key = openssl.key(self._file("key.pem"), algorithm)
        certificate = self._file("self.pem")
        own = ["-subj", subject, "-days", "2", "-out", certificate]
        run("openssl", "req", "-x509", "-new", "-key", key, *own).ok()
        return Identity(key, certificate)

    def request(self, key: Path, subject: str, challenge: str | None, extensions: str = "") -> bytes:
        """A PKCS#10 request in DER; extensions are lines of an openssl section."""
        settings = self._file("request.cnf")
        names = [part.split("=", 1) for part in subject.strip("/").split("/")]
        name = "".join(f"{n}.{kind}={value}\n" for n, (kind, value) in enumerate(names))
        heads = "attributes=a\n" if challenge is not None else ""
        heads += "req_extensions=x\n" if extensions else ""
        settings.write_text(
            f"[req]\ndistinguished_name=n\nprompt=no\nstring_mask=utf8only\n{heads}[n]\n{name}"
            f"[a]\nchallengePassword={challenge}\n[x]\n{extensions}\n"
        )
        command = ["openssl", "req", "-new", "-key", key, "-config", settings]
        return run(*command, "-outform", "DER").ok().out

    def send(self, message: bytes, how: str = "POST") -> Answer:
        if how == "GET":
            return self.query("PKIOperation", quote(b64encode(message).decode(), safe=""))
        kind = {"Content-Type": "application/x-pki-message"}
        return fetch(f"{self.url}?operation=PKIOperation", message, kind)

    def exchange(
        self, kind: int, content: bytes, signer: Identity, shape: scep.Shape, how: str = "POST"
    ) -> scep.Reply:
        """Encrypts, signs, sends; the reply's signature, nonce and transaction are checked."""
        if not shape.transaction_id:
            shape = replace(shape, transaction_id=os.urandom(16).hex())
        sealed = scep.envelope(content, self.authority().recipient, shape)
        message = scep.message(kind, sealed, signer.certificate, signer.key, shape)
        answer = self.send(message, how).ok("application/x-pki-message")
        reply = scep.read_reply(answer.body, self.authority().ca)
        if reply.transaction_id != shape.transaction_id:
            raise AssertionError(f"transaction {reply.transaction_id}, not {shape.transaction_id}")
        if reply.recipient_nonce != shape.nonce:
            raise AssertionError("the recipient nonce is not the sender nonce of the request")
        return reply

    def granted(self, reply: scep.Reply, signer: Identity, password: str | None = None) -> Path:
        """The issued certificate of a SUCCESS, which must come first in the reply."""
        if reply.status != SUCCESS:
            raise AssertionError(f"pkiStatus {reply.status}, failInfo {reply.fail_info}")
        bundle = scep.open_envelope(reply.content, signer.certificate, signer.key, password)
        chain = scep.certificates(bundle, self._file("chain.pem"))
        issued = self._file("issued.pem")
        run("openssl", "x509", "-in", chain, "-out", issued).ok()
        run("openssl", "verify", "-partial_chain", "-CAfile", self.authority().ca, issued).ok()
        return issued

    def enroll(
        self, subject: str, challenge: str, extensions: str = "", algorithm: str = "rsa:2048",
        shape: scep.Shape | None = None,
    ) -> Identity:  # fmt: skip
        """A whole enrollment; returns the new key with its issued certificate."""
        signer = self.identity(subject, algorithm)
        content = self.request(signer.key, subject, challenge, extensions)
        password = None if algorithm.startswith("rsa") else challenge
        reply = self.exchange(scep.PKCS_REQ, content, signer, shape or scep.Shape())
        return Identity(signer.key, self.granted(reply, signer, password))

    def issuer_and_subject(self, subject_of: Path) -> bytes:
        """IssuerAndSubject of RFC 8894 section 3.3.3 for the subject of a certificate."""
        issuer = asn1.read(openssl.der(self.authority().ca))[0][5].raw
        subject = asn1.read(openssl.der(subject_of))[0][5].raw
        return asn1.sequence(issuer, subject)

    def issuer_and_serial(self, certificate: Path) -> bytes:
        """IssuerAndSerialNumber of a certificate, the content of GetCert and GetCRL."""
        tbs = asn1.read(openssl.der(certificate))[0]
        return asn1.sequence(tbs[3].raw, tbs[1].raw)

    def _file(self, name: str) -> Path:
        self._made += 1
        return self.work / f"{self._made:02}-{name}"
