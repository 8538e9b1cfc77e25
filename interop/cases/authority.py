"""The authority's own life as clients see it: rollover, a CA below another, deltas and partitions."""

import threading
from pathlib import Path

from kit import openssl, scep
from kit.http import fetch
from kit.process import Finished, run
from kit.site import Lanyard, Site
from kit.suite import case

from .crl import show
from .openssl_ocsp import ask
from .settings import installation


@case("the next CA is announced, then takes over; the old one still answers for its own", ("rsa:2048",))
def rollover(site: Site, work: Path) -> None:
    with installation(site, work, "") as server:
        client = server.client(work / "before")
        old = client.enroll("/CN=before", server.challenge)
        bad = client.enroll("/CN=bad", server.challenge)
        assert "GetNextCACert" not in client.capabilities(), "announced before there is one"
        server.command("ca", "prepare-next").ok()
        assert "GetNextCACert" in client.capabilities()
        announced = client.query("GetNextCACert").ok("application/x-x509-next-ca-cert")
        verify = ["openssl", "cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any"]
        content = run(*verify, "-CAfile", server.ca, stdin=announced.body).ok().out
        next_ca = scep.certificates(content or announced.body, work / "next.pem")
        assert openssl.der(next_ca) != openssl.der(server.ca), "the next CA is the present one"

        server.command("ca", "activate").ok()
        after = server.client(work / "after")
        assert openssl.der(after.authority().ca) == openssl.der(next_ca), "another CA took over"
        device = after.enroll("/CN=after", server.challenge)
        run("openssl", "verify", "-CAfile", next_ca, device.certificate).ok()
        assert ": good" in ask(server, "-cert", old.certificate).text
        server.revoke(bad.certificate)
        assert ": revoked" in ask(server, "-cert", bad.certificate).text
        first, server.ca = server.ca, next_ca
        assert ": good" in ask(server, "-cert", device.certificate).text
        server.ca = first


@case("a CA that another certifies: request, import, enroll, verify the chain", ("rsa:2048",))
def subordinate(site: Site, work: Path) -> None:
    openssl.authority(work / "root", "P-256", "/CN=Root of somebody")
    root = work / "root" / "ca.pem"
    server = Lanyard(site.program, "rsa:2048", work / "server", "authority.certified_by = 'another'")
    try:
        server.launch()
        csr = work / "ca.csr"
        run_until_ok(server, "ca", "request", "--out", csr)
        usages = "digitalSignature,keyEncipherment,keyCertSign,cRLSign"
        text = f"basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,{usages}"
        issued = openssl.issue(work / "root", csr, work / "sub.pem", text)
        server.command("ca", "import", issued, root).ok()
        server.fetch_ca()
        assert openssl.der(server.ca) == openssl.der(issued), "not the imported certificate"
        device = server.device(work / "device").certificate
        run("openssl", "verify", "-CAfile", root, "-untrusted", issued, device).ok()
        asking = ["openssl", "ocsp", "-url", server.ocsp_url, "-issuer", issued, "-CAfile", root]
        answer = run(*asking, "-verify_other", issued, "-cert", device).ok().text
        assert ": good" in answer and "Response verify OK" in answer, answer
        # strongSwan numbers authorities that are no roots.
        out = ["--caout", work / "ca.pem", "--outform", "pem"]
        run("pki", "--scepca", "--url", server.scep_url, *out).ok()
        assert openssl.der(work / "ca-1.pem") == openssl.der(issued)
    finally:
        server.stop()


def run_until_ok(server: Lanyard, *command) -> Finished:
    """A command to a server that is only just starting."""
    tick = threading.Event()
    for _ in range(100):
        done = server.command(*command)
        if done.status == 0:
            return done
        tick.wait(0.2)
    return done.ok()


@case("an old CRL and the delta after it say what the new CRL says", ("rsa:2048", "P-256"))
def delta(site: Site, work: Path) -> None:
    settings = "crl.delta_from = 1\npublication.crl_pointers = 'included'"
    with installation(site, work, settings, site.name) as server:
        one, two, kept = (server.device(work / n, f"/CN={n}").certificate for n in ("1", "2", "3"))
        server.revoke(one)
        base = pem(server.crl_url, work / "base.pem", server.ca)
        assert "Freshest CRL" in show(base), show(base)
        server.revoke(two)
        changes = pem(f"{server.crl_url}/delta", work / "delta.pem", server.ca)
        text = show(changes)
        assert "Delta CRL Indicator" in text and openssl.field(two, "serial") in text, text
        both = work / "both.pem"
        both.write_bytes(base.read_bytes() + changes.read_bytes())
        check = ["openssl", "verify", "-crl_check", "-CAfile", server.ca]
        deltas = [*check, "-extended_crl", "-use_deltas", "-CRLfile", both]
        run(*check, "-CRLfile", base, two).ok()
        for revoked in (one, two):
            assert "certificate revoked" in run(*deltas, revoked).text, run(*deltas, revoked).text
        run(*deltas, kept).ok()
        site.lint.check("crl", "crl", base)
        site.lint.check("crl", "crl", changes)


@case("each certificate's partition of the CRL covers it and no other", ("rsa:2048",))
def partitions(site: Site, work: Path) -> None:
    settings = "crl.partitions = 4\npublication.crl_pointers = 'included'"
    with installation(site, work, settings) as server:
        devices = [server.device(work / str(n), f"/CN=part-{n}").certificate for n in range(6)]
        addresses = {}
        for device in devices:
            named = openssl.show(device).partition("CRL Distribution Points")[2]
            addresses[device] = named.partition("URI:")[2].split()[0]
        assert len(set(addresses.values())) > 1, addresses
        for device, address in addresses.items():
            check = ["openssl", "verify", "-crl_check", "-extended_crl", "-CAfile", server.ca]
            before = pem(address, work / "before.pem", server.ca)
            run(*check, "-CRLfile", before, device).ok()
            server.revoke(device)
            after = pem(address, work / "after.pem", server.ca)
            text = run(*check, "-CRLfile", after, device).text
            assert "certificate revoked" in text, text
            assert "Issuing Distribution Point: critical" in show(after), show(after)
            site.lint.check("crl", "crl", after)


def pem(address: str, out: Path, ca: Path) -> Path:
    """A published CRL as PEM, its signature verified."""
    der = fetch(address).ok("application/pkix-crl").body
    verified = run("openssl", "crl", "-inform", "DER", "-CAfile", ca, "-out", out, stdin=der).ok()
    assert "verify OK" in verified.text, verified.text
    return out
