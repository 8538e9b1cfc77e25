"""Our own client: against Debian's scepserver, against the plain CA, and against ourselves."""

from pathlib import Path

from kit import openssl
from kit.plain_ca import PlainCa
from kit.process import Finished, run
from kit.recorder import Recorder
from kit.scepserver import Scepserver
from kit.site import Site, without_ours
from kit.suite import EVERY, case


def lanyard(site: Site, work: Path, command: str, url: str, ca: Path, *options) -> Finished:
    """`lanyard enroll` or `renew` in a folder of its own, the CA known beforehand."""
    server = ["--url", url, "--ca", ca]
    return run(site.program, command, *server, *options, cwd=work, env=without_ours())


def enrolls_then_renews(
    site: Site, work: Path, url: str, ca: Path, challenge: str, *renewal: str
) -> None:
    work.mkdir(exist_ok=True)
    (work / "challenge").write_text(challenge)
    asked = ["--subject", "CN=device-17", "--dns", "device-17.example.org"]
    asked += ["--challenge-file", "challenge"]
    lanyard(site, work, "enroll", url, ca, *asked).ok()
    certificate, key = work / "certificate.pem", work / "key.pem"
    run("openssl", "verify", "-CAfile", ca, "-untrusted", certificate, certificate).ok()
    assert "device-17" in openssl.field(certificate, "subject")
    pair = run("openssl", "pkey", "-in", key, "-pubout").ok().out
    assert pair == openssl.public_key(certificate), "the key is not the certificate's"
    assert key.stat().st_mode & 0o077 == 0, "others may read the key"
    first = openssl.field(certificate, "serial")
    lanyard(site, work, "renew", url, ca, "--force", *renewal).ok()
    run("openssl", "verify", "-CAfile", ca, certificate).ok()
    assert openssl.field(certificate, "serial") != first, "the renewed one is the old one"


@case("our client enrolls and renews at this CA", EVERY)
def at_home(site: Site, work: Path) -> None:
    enrolls_then_renews(site, work, site.scep_url, site.ca, site.challenge)


@case("our client enrolls EC keys at this CA", EVERY)
def elliptic(site: Site, work: Path) -> None:
    (work / "challenge").write_text(site.challenge)
    for kind in ("p-256", "p-384", "p-521"):
        asked = ["--subject", f"CN={kind}", "--challenge-file", "challenge", "--key-type", kind]
        files = ["--key", f"{kind}.key", "--out", f"{kind}.pem"]
        lanyard(site, work, "enroll", site.scep_url, site.ca, *asked, *files).ok()
        run("openssl", "verify", "-CAfile", site.ca, work / f"{kind}.pem").ok()


@case("our client enrolls and renews at Debian's scepserver", ("rsa:2048",))
def at_scepserver(site: Site, work: Path) -> None:
    authority = openssl.authority(work / "foreign")
    with Scepserver(work / "foreign", work, "their challenge") as server:
        # It wants the challenge at a renewal too.
        renewal = ["--challenge-file", "challenge"]
        challenge = "their challenge"
        enrolls_then_renews(site, work / "client", server.url, authority, challenge, *renewal)


@case("our client enrolls and renews at the plain CA", ("rsa:2048",))
def at_plain_ca(site: Site, work: Path) -> None:
    authority = openssl.authority(work / "foreign")
    with Recorder(PlainCa(work / "foreign", work, "their challenge")) as peer:
        url = peer.url + "/scep"
        enrolls_then_renews(site, work / "client", url, authority, "their challenge")


@case("our client tells a wrong challenge and a wrong CA in words", ("rsa:2048",))
def refusals(site: Site, work: Path) -> None:
    (work / "challenge").write_text("wrong")
    asked = ["--subject", "CN=device", "--challenge-file", "challenge"]
    refused = lanyard(site, work, "enroll", site.scep_url, site.ca, *asked)
    assert refused.status != 0 and "badRequest" in refused.text, refused.text
    other = openssl.authority(work / "other")
    refused = lanyard(site, work, "enroll", site.scep_url, other, *asked)
    assert refused.status != 0 and "this is another authority" in refused.text, refused.text
    assert not (work / "certificate.pem").exists(), "a certificate was written"
