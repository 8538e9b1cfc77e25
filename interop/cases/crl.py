"""CRLs through openssl's verification: full, PEM, hold and release, every reason."""

from pathlib import Path

from kit import openssl
from kit.http import fetch
from kit.process import Finished, run
from kit.site import Site
from kit.suite import EVERY, case

REASONS = {
    "unspecified": None,
    "keyCompromise": "Key Compromise",
    "affiliationChanged": "Affiliation Changed",
    "superseded": "Superseded",
    "cessationOfOperation": "Cessation Of Operation",
    "privilegeWithdrawn": "Privilege Withdrawn",
}


def current(site: Site, work: Path) -> Path:
    """The published CRL as PEM, its signature verified."""
    der = fetch(site.crl_url).ok("application/pkix-crl").body
    out = work / "crl.pem"
    check = ["openssl", "crl", "-inform", "DER", "-CAfile", site.ca, "-out", out]
    verified = run(*check, stdin=der).ok()
    assert "verify OK" in verified.text, verified.text
    return out


def verify(site: Site, crl: Path, certificate: Path) -> Finished:
    return run("openssl", "verify", "-crl_check", "-CAfile", site.ca, "-CRLfile", crl, certificate)


def show(crl: Path) -> str:
    return run("openssl", "crl", "-in", crl, "-noout", "-text").ok().out.decode()


@case("openssl verifies by CRL: good, on hold, released, revoked", EVERY)
def verifies(site: Site, work: Path) -> None:
    device = site.device(work).certificate
    verify(site, current(site, work), device).ok()
    site.revoke(device, "certificateHold")
    held = verify(site, current(site, work), device)
    assert "certificate revoked" in held.text, held.text
    site.release(device)
    verify(site, current(site, work), device).ok()
    site.revoke(device)
    revoked = verify(site, current(site, work), device)
    assert "certificate revoked" in revoked.text, revoked.text


@case("the CRL gives each reason and counts up", ("rsa:2048", "P-256"))
def reasons(site: Site, work: Path) -> None:
    number = crl_number(current(site, work))
    for reason, shown in REASONS.items():
        device = site.device(work / reason, f"/CN={reason}").certificate
        site.revoke(device, reason)
        crl = current(site, work)
        entry = show(crl).partition(openssl.field(device, "serial"))[2].partition("Serial Number")[0]
        assert entry, f"{reason}: not in the CRL"
        if shown is None:
            # RFC 5280 5.3.1: the extension should be absent rather than say unspecified.
            assert "Reason Code" not in entry, entry
        else:
            assert shown in entry, entry
        later = crl_number(crl)
        assert later > number, f"CRL number {later} after {number}"
        number = later
    site.lint.check("crl", "crl", crl)


def crl_number(crl: Path) -> int:
    printed = run("openssl", "crl", "-in", crl, "-noout", "-crlnumber").ok().out.decode()
    return int(printed.strip().partition("=")[2], 0)


@case("the CRL is there as PEM too, with the same content", EVERY)
def as_pem(site: Site, work: Path) -> None:
    pem = fetch(site.crl_url.replace("/crl/", "/crl/pem/")).ok()
    der = fetch(site.crl_url).ok("application/pkix-crl").body
    assert run("openssl", "crl", "-outform", "DER", stdin=pem.body).ok().out == der, pem.body


@case("the CA's certificate is at its address, for chains to be completed", EVERY)
def ca_certificate(site: Site, work: Path) -> None:
    text = openssl.show(site.device(work).certificate)
    address = text.partition("CA Issuers - URI:")[2].split()[0]
    answer = fetch(address).ok("application/pkix-cert")
    assert answer.body == openssl.der(site.ca), "not the CA's certificate"
