"""scepclient of Debian's package `scep`, built on another SCEP library."""

from contextlib import nullcontext
from pathlib import Path

from kit import openssl
from kit.process import Finished, run
from kit.site import Lanyard, Site
from kit.suite import RSA, case


def enroll(
    site: Site, work: Path, challenge: str = "", name: str = "scepclient-1"
) -> Finished:
    work.mkdir(exist_ok=True)
    if not (work / "client.key").exists():
        key = openssl.key(work / "key.pem")
        run("openssl", "rsa", "-in", key, "-traditional", "-out", work / "client.key").ok()
    command = ["scepclient", "-private-key", "client.key", "-certificate", "client.pem"]
    command += ["-server-url", site.scep_url, "-cn", name, "-debug"]
    command += ["-challenge", challenge] if challenge else []
    return run(*command, cwd=work)


def taking_des(site: Site, work: Path) -> Site:
    """scepclient knows single DES and SHA-1 only, whatever a server announces: by default refused."""
    if not isinstance(site, Lanyard):
        return nullcontext(site)
    settings = "scep.broken_algorithms = 'accepted'"
    return Lanyard(site.program, site.name, work / "server", settings)


@case("scepclient, which knows single DES only, is refused by default", RSA, plain=False)
def is_refused_by_default(site: Site, work: Path) -> None:
    refused = enroll(site, work, site.challenge)
    assert refused.status != 0 and "badAlg" in refused.text, refused.text


# It encrypts to every certificate that it was sent, and panics at one with an EC key.
@case("scepclient enrolls, then renews, where single DES is taken", RSA)
def enrolls_then_renews(site: Site, work: Path) -> None:
    with taking_des(site, work) as site:
        enrolls_and_renews(site, work)


def enrolls_and_renews(site: Site, work: Path) -> None:
    enroll(site, work, site.challenge).ok()
    first = openssl.field(work / "client.pem", "serial")
    run("openssl", "verify", "-CAfile", site.ca, work / "client.pem").ok()
    enroll(site, work).ok()
    run("openssl", "verify", "-CAfile", site.ca, work / "client.pem").ok()
    assert openssl.field(work / "client.pem", "serial") != first, "the renewed one is the old one"


@case("scepclient is refused with a wrong challenge", RSA)
def is_refused(site: Site, work: Path) -> None:
    with taking_des(site, work) as site:
        refused = enroll(site, work, "wrong")
    assert refused.status != 0 and "badRequest" in refused.text, refused.text
    assert not (work / "client.pem").exists(), "a certificate was issued"
