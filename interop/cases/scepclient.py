"""scepclient of Debian's package `scep`, built on another SCEP library."""

from pathlib import Path

from kit import openssl
from kit.process import Finished, run
from kit.site import Site
from kit.suite import EVERY, RSA, case


def enroll(site: Site, work: Path, challenge: str = "") -> Finished:
    work.mkdir(exist_ok=True)
    if not (work / "client.key").exists():
        key = openssl.key(work / "key.pem")
        run("openssl", "rsa", "-in", key, "-traditional", "-out", work / "client.key").ok()
    command = ["scepclient", "-private-key", "client.key", "-certificate", "client.pem"]
    command += ["-server-url", site.scep_url, "-cn", "scepclient-1", "-debug"]
    command += ["-challenge", challenge] if challenge else []
    return run(*command, cwd=work)


@case("scepclient enrolls, then renews", EVERY)
def enrolls_then_renews(site: Site, work: Path) -> None:
    enroll(site, work, site.challenge).ok()
    first = openssl.field(work / "client.pem", "serial")
    run("openssl", "verify", "-CAfile", site.ca, work / "client.pem").ok()
    enroll(site, work).ok()
    run("openssl", "verify", "-CAfile", site.ca, work / "client.pem").ok()
    assert openssl.field(work / "client.pem", "serial") != first, "the renewed one is the old one"


@case("scepclient is refused with a wrong challenge", RSA)
def is_refused(site: Site, work: Path) -> None:
    refused = enroll(site, work, "wrong")
    assert refused.status != 0 and "badRequest" in refused.text, refused.text
    assert not (work / "client.pem").exists(), "a certificate was issued"
