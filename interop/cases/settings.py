"""What settings change, each on an installation of its own with a foreign client before it."""

import json
import threading
from pathlib import Path

from kit import openssl, scep
from kit.http import fetch
from kit.process import Daemon, run
from kit.scep import Shape
from kit.scep_client import PENDING, SUCCESS, Identity
from kit.site import Lanyard, Site
from kit.suite import case

from . import certmonger, strongswan
from .crl import current, show, verify
from .openssl_ocsp import ask

ONE = ("rsa:2048",)


def installation(site: Site, work: Path, settings: str, key: str = "rsa:2048") -> Lanyard:
    return Lanyard(site.program, key, work / "server", settings)


@case("strongSwan waits for a person, who approves", ONE)
def manual_approval(site: Site, work: Path) -> None:
    with installation(site, work, "endpoints.static.approval = 'manual'") as manual:
        authority = manual.client(work).authority()
        key = openssl.key(work / "waiting.key")
        trust = ["--cacert-enc", authority.ca, "--cacert-sig", authority.ca, "--outform", "pem"]
        polling = ["--interval", "1", "--maxpolltime", "60"]
        command = ["pki", "--scep", "--url", manual.scep_url, "--in", key, "--dn", "CN=waiting"]
        command += ["--password", manual.challenge, *trust, *polling]
        with Daemon(*command, log=work / "pki.log") as waiting:
            waiting_request = pending(manual)
            manual.command("request", "approve", waiting_request).ok()
            assert waiting.child.wait(60) == 0, waiting.text()
        issued = work / "waiting.pem"
        issued.write_text("-----BEGIN" + (work / "pki.log").read_text().partition("-----BEGIN")[2])
        run("openssl", "verify", "-CAfile", manual.ca, issued).ok()


@case("a request that a person declines fails at the next poll", ONE)
def declined(site: Site, work: Path) -> None:
    with installation(site, work, "endpoints.static.approval = 'manual'") as manual:
        client = manual.client(work)
        signer = client.identity("/CN=declined")
        content = client.request(signer.key, "/CN=declined", manual.challenge)
        shape = Shape(transaction_id="declined-1")
        assert client.exchange(scep.PKCS_REQ, content, signer, shape).status == PENDING
        subjects = client.issuer_and_subject(signer.certificate)
        poll = Shape(transaction_id="declined-1")
        assert client.exchange(scep.CERT_POLL, subjects, signer, poll).status == PENDING
        manual.command("request", "decline", pending(manual)).ok()
        poll = Shape(transaction_id="declined-1")
        refused = client.exchange(scep.CERT_POLL, subjects, signer, poll)
        assert refused.status not in (SUCCESS, PENDING), refused


@case("whoever asks to be a server is a client, unless the endpoint lets requests decide", ONE)
def requested_usages(site: Site, work: Path) -> None:
    wanted = "extendedKeyUsage=serverAuth"
    device = openssl.show(site.device(work / "default", "/CN=bank.example", wanted).certificate)
    assert "TLS Web Client Authentication" in device, device
    assert "TLS Web Server Authentication" not in device, device
    granted = "endpoints.static.requested_usages = 'granted'"
    with installation(site, work, granted) as lenient:
        server = lenient.device(work / "granted", "/CN=bank.example", wanted).certificate
        assert "TLS Web Server Authentication" in openssl.show(server)


def pending(site: Lanyard) -> str:
    """The id of the one request that waits."""
    tick = threading.Event()
    for _ in range(200):
        listed = site.command("request", "list", "--json").ok().out
        if waiting := json.loads(listed):
            return str(waiting[0]["id"])
        tick.wait(0.1)
    raise AssertionError("no request is waiting")


@case("strongSwan and certmonger go by an RSA recipient before an RSA CA", ONE)
def registration_authority(site: Site, work: Path) -> None:
    with installation(site, work, "scep.identity = 'ra'") as apart:
        authority = apart.client(work / "client").authority()
        assert authority.recipient != authority.ca, "the CA itself receives"
        strongswan.enrolls(apart, work)
        (work / "certmonger").mkdir()
        certmonger.daemon_monitors(apart, work / "certmonger")


@case("single DES and MD5 are taken where a setting says so", ONE)
def broken_algorithms(site: Site, work: Path) -> None:
    with installation(site, work, "scep.broken_algorithms = 'accepted'") as old:
        for name, shape in {"des": Shape("sha1", "des-cbc"), "md5": Shape("md5", "des3")}.items():
            old.client(work / name).enroll("/CN=old", old.challenge, shape=shape)


@case("the CA itself answers OCSP where a setting says so", ONE)
def ca_responds(site: Site, work: Path) -> None:
    with installation(site, work, "ocsp.responder = 'ca'") as direct:
        device = direct.device(work).certificate
        answer = ask(direct, "-cert", device, "-resp_text").text
        assert ": good" in answer and "BEGIN CERTIFICATE" not in answer, answer


@case("CRL addresses are in certificates where a setting says so", ONE)
def pointers(site: Site, work: Path) -> None:
    with installation(site, work, "publication.crl_pointers = 'included'") as pointing:
        device = pointing.device(work).certificate
        named = openssl.show(device).partition("CRL Distribution Points")[2]
        address = named.partition("URI:")[2].split()[0]
        site.lint.check("certificate", "device", device)
        der = fetch(address).ok("application/pkix-crl").body
        crl = work / "named.pem"
        crl.write_bytes(run("openssl", "crl", "-inform", "DER", stdin=der).ok().out)
        verify(pointing, crl, device).ok()


@case("a certificate that waits in a folder survives a restart, and so does its revocation", ONE)
def restart(site: Site, work: Path) -> None:
    with installation(site, work, "") as before:
        kept, bad = (before.device(work / n, f"/CN={n}").certificate for n in ("kept", "bad"))
        before.revoke(bad)
        before.stop()
        before.start()
        answer = ask(before, "-cert", kept, "-cert", bad).text
        assert f"{kept}: good" in answer and f"{bad}: revoked" in answer, answer
        assert openssl.field(bad, "serial") in show(current(before, work))
        client = before.client(work / "renews")
        key = (work / "kept").glob("*-key.pem")
        old = Identity(next(key), kept)
        content = client.request(old.key, "/CN=kept", None)
        reply = client.exchange(scep.RENEWAL_REQ, content, old, Shape())
        assert reply.status == SUCCESS, reply
