"""strongSwan's pki: SCEP, and online checks of the certificates it got."""

from pathlib import Path

from kit import openssl
from kit.process import run
from kit.site import Site
from kit.suite import EVERY, RSA, case


def enroll(site: Site, work: Path, name: str, *options) -> tuple[Path, Path]:
    """Enrolls with pki; returns the key and the certificate."""
    authority = site.client(work).authority()
    key, issued = work / f"{name}.key", work / f"{name}.pem"
    if not key.exists():
        openssl.key(key)
    trust = ["--cacert-enc", authority.recipient, "--cacert-sig", authority.recipient]
    trust += ["--cacert", authority.ca, "--outform", "pem"]
    done = run(
        "pki", "--scep", "--url", site.scep_url, "--in", key, "--dn", f"CN={name}",
        "--password", site.challenge, *trust, *options,
    ).ok()  # fmt: skip
    issued.write_bytes(done.out)
    run("openssl", "verify", "-CAfile", site.ca, issued).ok()
    return key, issued


@case("strongSwan fetches the CA certificate", EVERY)
def fetches_the_ca(site: Site, work: Path) -> None:
    out = ["--caout", work / "ca.pem", "--raout", work / "ra.pem", "--outform", "pem"]
    run("pki", "--scepca", "--url", site.scep_url, *out).ok()
    assert openssl.der(work / "ca.pem") == openssl.der(site.ca), "not the CA's certificate"


@case("strongSwan enrolls with AES and SHA-256", EVERY)
def enrolls(site: Site, work: Path) -> None:
    _, issued = enroll(site, work, "strongswan-1")
    assert "CN = strongswan-1" in openssl.field(issued, "subject"), openssl.field(issued, "subject")


@case("strongSwan enrolls with AES and SHA-512", RSA)
def enrolls_with_sha512(site: Site, work: Path) -> None:
    enroll(site, work, "strongswan-2", "--digest", "sha512")


@case("strongSwan enrolls with 3DES and SHA-1", RSA)
def enrolls_with_3des(site: Site, work: Path) -> None:
    enroll(site, work, "strongswan-3", "--cipher", "des3", "--digest", "sha1")


@case("strongSwan asks for names and gets them", RSA)
def asks_for_names(site: Site, work: Path) -> None:
    names = ["--san", "device-4.example.org", "--san", "device@example.org"]
    _, issued = enroll(site, work, "strongswan-4", *names)
    text = openssl.show(issued)
    assert "DNS:device-4.example.org" in text and "email:device@example.org" in text, text


@case("strongSwan renews with its old certificate", EVERY)
def renews(site: Site, work: Path) -> None:
    key, old = enroll(site, work, "strongswan-5")
    key.rename(work / "old.key")
    old = old.rename(work / "old.pem")
    _, new = enroll(site, work, "strongswan-5", "--cert", old, "--key", work / "old.key")
    assert openssl.field(new, "serial") != openssl.field(old, "serial"), "the same certificate"
    assert openssl.field(new, "subject") == openssl.field(old, "subject")


@case("strongSwan is refused with a wrong challenge", RSA)
def is_refused(site: Site, work: Path) -> None:
    try:
        enroll(site, work, "strongswan-6", "--password", "wrong")
    except AssertionError as error:
        assert "badRequest" in str(error), error
    else:
        raise AssertionError("a certificate was issued")


@case("strongSwan asks online: good passes, revoked does not", EVERY)
def asks_online(site: Site, work: Path) -> None:
    _, issued = enroll(site, work, "strongswan-7")
    check = ["pki", "--verify", "--in", issued, "--cacert", site.ca, "--online"]
    good = run(*check).ok()
    for said in ("ocsp response correctly signed", "certificate status is good"):
        assert said in good.text, good.text
    assert "certificate trusted" in good.text, good.text
    site.revoke(issued)
    revoked = run(*check)
    assert revoked.status != 0 and "certificate was revoked" in revoked.text, revoked.text
