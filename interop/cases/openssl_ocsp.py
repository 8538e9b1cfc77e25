"""openssl as OCSP client: nonce, digests, several certificates, signed requests."""

from pathlib import Path

from kit import openssl
from kit.process import Finished, run
from kit.site import Site
from kit.suite import EVERY, RSA, case


def ask(site: Site, *options) -> Finished:
    """Asks by POST and insists that the answer's signature verifies up to the CA."""
    command = ["openssl", "ocsp", "-url", site.ocsp_url, "-issuer", site.ca, "-CAfile", site.ca]
    done = run(*command, *options).ok()
    assert "Response verify OK" in done.text, done.text
    return done


@case("openssl hears good, and revoked with its reason right after", EVERY)
def good_then_revoked(site: Site, work: Path) -> None:
    device = site.device(work).certificate
    good = ask(site, "-cert", device)
    assert f"{device}: good" in good.text and "no nonce" not in good.text, good.text
    site.revoke(device)
    revoked = ask(site, "-cert", device)
    assert f"{device}: revoked" in revoked.text and "keyCompromise" in revoked.text, revoked.text


@case("openssl asks without nonce, with SHA-256 and with SHA-512 in the CertID", EVERY)
def other_digests(site: Site, work: Path) -> None:
    device = site.device(work).certificate
    for options in (["-no_nonce"], ["-sha256", "-no_nonce"], ["-sha512"], ["-sha384", "-no_nonce"]):
        answer = ask(site, *options, "-cert", device)
        assert f"{device}: good" in answer.text, answer.text


@case("openssl asks for several certificates at once", EVERY)
def several(site: Site, work: Path) -> None:
    one, two = (site.device(work / n, f"/CN=several-{n}").certificate for n in "12")
    site.revoke(two)
    answer = ask(site, "-cert", one, "-cert", two, "-serial", "0x4242").text
    assert f"{one}: good" in answer and f"{two}: revoked" in answer, answer
    assert "0x4242: unknown" in answer, answer


@case("openssl asks about the CA's own certificate", EVERY)
def the_ca_itself(site: Site, work: Path) -> None:
    answer = ask(site, "-cert", site.ca).text
    assert f"{site.ca}: good" in answer, answer


@case("openssl signs its request", RSA)
def signed(site: Site, work: Path) -> None:
    device = site.device(work)
    options = ["-signer", device.certificate, "-signkey", device.key, "-cert", device.certificate]
    assert ": good" in ask(site, *options).text


@case("openssl names another issuer and is told so, unsigned", RSA)
def another_issuer(site: Site, work: Path) -> None:
    other = openssl.authority(work / "other", "P-256", "/CN=Somebody else")
    device = site.device(work).certificate
    command = ["openssl", "ocsp", "-url", site.ocsp_url, "-issuer", other, "-cert", device]
    text = run(*command, "-CAfile", site.ca).text
    assert "unauthorized" in text or f"{device}: unknown" in text, text
