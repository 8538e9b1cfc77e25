"""What must not be granted: each refusal is a clear answer, and the server goes on as before."""

from dataclasses import replace
from pathlib import Path
from typing import Callable

from kit import openssl, scep
from kit.http import Answer
from kit.process import run
from kit.scep import Shape
from kit.scep_client import (
    BAD_ALG,
    BAD_MESSAGE_CHECK,
    BAD_REQUEST,
    FAILURE,
    SUCCESS,
    ScepClient,
)
from kit.site import Site
from kit.suite import EVERY, RSA, case


def refused(reply: scep.Reply, *reasons: int) -> None:
    assert reply.status == FAILURE, f"pkiStatus {reply.status}"
    assert reply.fail_info in reasons, f"failInfo {reply.fail_info}, not one of {reasons}"


def attempt(site: Site, work: Path, challenge, shape=None, algorithm="rsa:2048") -> scep.Reply:
    client = site.client(work)
    signer = client.identity("/CN=refused", algorithm)
    content = client.request(signer.key, "/CN=refused", challenge)
    return client.exchange(scep.PKCS_REQ, content, signer, shape or Shape())


@case("a wrong, a missing and an overlong challenge are bad requests", EVERY)
def challenges(site: Site, work: Path) -> None:
    for name, challenge in {"wrong": "wrong", "missing": None, "long": "x" * 20000}.items():
        refused(attempt(site, work / name, challenge), BAD_REQUEST)


@case("single DES and MD5 are refused as algorithms", RSA)
def old_algorithms(site: Site, work: Path) -> None:
    refused(attempt(site, work / "des", site.challenge, Shape("sha1", "des-cbc")), BAD_ALG)
    refused(attempt(site, work / "md5", site.challenge, Shape("md5", "des3")), BAD_ALG)


@case("an RSA key of 1024 bits is refused", RSA)
def weak_key(site: Site, work: Path) -> None:
    reply = attempt(site, work, site.challenge, algorithm="rsa:1024")
    refused(reply, BAD_REQUEST, BAD_ALG)


@case("a transaction id counts only with its signer and its request", EVERY)
def borrowed_transaction(site: Site, work: Path) -> None:
    client = site.client(work)
    signer = client.identity("/CN=first")
    content = client.request(signer.key, "/CN=first", site.challenge)
    shape = Shape(transaction_id="borrowed-1")
    client.granted(client.exchange(scep.PKCS_REQ, content, signer, shape), signer)

    other = client.request(signer.key, "/CN=other", site.challenge)
    shape = replace(shape, nonce=b"n" * 16)
    refused(client.exchange(scep.PKCS_REQ, other, signer, shape), BAD_REQUEST)
    thief = client.identity("/CN=thief")
    stolen = client.exchange(scep.PKCS_REQ, content, thief, replace(shape, nonce=b"m" * 16))
    refused(stolen, BAD_REQUEST, BAD_MESSAGE_CHECK)


@case("a message whose signature does not verify is refused", RSA)
def bad_signature(site: Site, work: Path) -> None:
    def spoil(message: bytes) -> bytes:
        return message[:-8] + bytes(8)

    refused(tampered(site, work, spoil), BAD_MESSAGE_CHECK)


@case("a message whose content was exchanged is refused", RSA)
def exchanged_content(site: Site, work: Path) -> None:
    client = site.client(work)

    def exchange(message: bytes) -> bytes:
        at = message.index(client.sealed) + len(client.sealed) - 24
        return message[:at] + bytes(16) + message[at + 16 :]

    refused(tampered(site, work, exchange, client), BAD_MESSAGE_CHECK)


def tampered(
    site: Site, work: Path, change: Callable[[bytes], bytes], client: ScepClient | None = None
) -> scep.Reply:
    client = client or site.client(work)
    signer = client.identity("/CN=tampered")
    content = client.request(signer.key, "/CN=tampered", site.challenge)
    shape = Shape(transaction_id="tampered-1")
    client.sealed = scep.envelope(content, client.authority().recipient, shape)
    message = scep.message(scep.PKCS_REQ, client.sealed, signer.certificate, signer.key, shape)
    return scep.read_reply(client.send(change(message)).ok().body, site.ca)


@case("a message for somebody else is refused", EVERY)
def wrong_recipient(site: Site, work: Path) -> None:
    client = site.client(work)
    other = openssl.authority(work / "other")
    signer = client.identity("/CN=lost")
    content = client.request(signer.key, "/CN=lost", site.challenge)
    shape = Shape(transaction_id="lost-1")
    sealed = scep.envelope(content, other, shape)
    message = scep.message(scep.PKCS_REQ, sealed, signer.certificate, signer.key, shape)
    reply = scep.read_reply(client.send(message).ok().body, site.ca)
    refused(reply, BAD_MESSAGE_CHECK, BAD_REQUEST)


@case("a request that does not prove possession of its key is refused", EVERY)
def no_possession(site: Site, work: Path) -> None:
    client = site.client(work)
    signer = client.identity("/CN=liar")
    content = client.request(signer.key, "/CN=liar", site.challenge)
    spoilt = content[:-16] + bytes(16)
    reply = client.exchange(scep.PKCS_REQ, spoilt, signer, Shape())
    refused(reply, BAD_MESSAGE_CHECK, BAD_REQUEST)


@case("a look-up by a stranger is refused", EVERY)
def stranger(site: Site, work: Path) -> None:
    client = site.client(work)
    device = client.enroll("/CN=looked up", site.challenge)
    signer = client.identity("/CN=stranger")
    serial = client.issuer_and_serial(device.certificate)
    for kind in (scep.GET_CERT, scep.GET_CRL):
        reply = client.exchange(kind, serial, signer, Shape())
        assert reply.status == FAILURE, f"message type {kind} answered a stranger"


@case("garbage is told from a message, and nothing breaks", EVERY)
def garbage(site: Site, work: Path) -> None:
    client = site.client(work)
    signer = client.identity("/CN=garbage")
    content = client.request(signer.key, "/CN=garbage", site.challenge)
    sealed = scep.envelope(content, client.authority().recipient, Shape())
    whole = scep.message(scep.PKCS_REQ, sealed, signer.certificate, signer.key, Shape())
    deep = b"\x30\x80" * 5000
    for name, message in {
        "nothing": b"",
        "text": b"hello",
        "truncated": whole[: len(whole) // 2],
        "one octet short": whole[:-1],
        "nested": deep,
        "a length without end": b"\x30\x84\xff\xff\xff\xff" + bytes(64),
        "zeroes": bytes(4096),
        "a certificate": openssl.der(site.ca),
    }.items():
        clear(site, client.send(message), name)
    clear(site, client.query("PKIOperation", "!!!not-base64!!!"), "no base64")
    clear(site, client.query("PKIOperation"), "no message")
    clear(site, client.query("Nonsense"), "an unknown operation")
    client.enroll("/CN=after the garbage", site.challenge)


def clear(site: Site, answer: Answer, name: str) -> None:
    """A client's fault is answered as one: by HTTP 4xx with words, or by a CertRep that fails."""
    if answer.status == 200:
        assert answer.content_type == "application/x-pki-message", f"{name}: {answer.content_type}"
        assert scep.read_reply(answer.body, site.ca).status == FAILURE, f"{name} was granted"
        return
    assert 400 <= answer.status < 500, f"{name}: HTTP {answer.status}"
    assert answer.body, f"{name}: HTTP {answer.status} without a word"


@case("a stranger gets nothing that is encrypted under the challenge", EVERY)
def nothing_to_guess_with(site: Site, work: Path) -> None:
    client = site.client(work)
    holder = client.enroll("/CN=holder", site.challenge, algorithm="P-256")
    serial = client.issuer_and_serial(holder.certificate)
    stranger = client.identity("/CN=stranger", "P-256")
    for kind in scep.GET_CRL, scep.GET_CERT:
        refused(client.exchange(kind, serial, stranger, Shape()), BAD_REQUEST)
        assert client.exchange(kind, serial, holder, Shape()).status == SUCCESS
