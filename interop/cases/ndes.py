"""NDES's address, where Intune sends devices: how odd clients write it, and foreign ones that enroll there."""

from pathlib import Path

from kit import openssl
from kit.http import fetch
from kit.process import run
from kit.site import Lanyard, Site
from kit.suite import case
from kit.tenant import Simulator, Tenant

from . import certmonger, scepclient, strongswan
from .settings import ONE, installation

PATH = "/certsrv/mscep/mscep.dll"


def tethered(site: Site, work: Path, tenant: Simulator, further: str = "") -> Lanyard:
    """An installation that follows the tenant and takes requests whose challenges it made."""
    settings = f"endpoints.intune.availability = 'open'\n{further}\n{tenant.settings()}"
    return installation(site, work, settings, site.name)


@case("NDES's address is known in any letter case, with a slash or a program behind it", ONE)
def addresses(site: Site, work: Path) -> None:
    with Simulator(site.program, work / "tenant") as tenant, tethered(site, work, tenant) as server:
        for address in (
            PATH,
            PATH + "/",
            PATH + "/pkiclient.exe",
            "/" + PATH,
            "/CertSrv/MSCEP/mscep.dll",
            "/CERTSRV/MSCEP/MSCEP.DLL/PKICLIENT.EXE",
        ):
            # As sscep and routers name an authority, and as others name none.
            for query in ("operation=GetCACert&message=CAIdentifier", "operation=GetCACert"):
                answer = fetch(f"{server.base_url}{address}?{query}")
                assert answer.status == 200, f"{address}?{query}: HTTP {answer.status}"
                assert answer.ok("application/x-x509-ca-cert").body == openssl.der(server.ca), address
        for elsewhere in ("/certsrv/mscep", "/certsrv/mscep/mscep.dll2", "/certsrv/mscep_admin"):
            answer = fetch(f"{server.base_url}{elsewhere}?operation=GetCACert")
            assert answer.status == 404, f"{elsewhere}: HTTP {answer.status}"


BARE = {"subjectAlternativeNames": [], "keyUsage": [], "extendedKeyUsages": []}


@case("strongSwan, certmonger and scepclient enroll at NDES's address, with Intune's challenge", ONE)
def foreign_clients(site: Site, work: Path) -> None:
    old = "scep.broken_algorithms = 'accepted'"
    with Simulator(site.program, work / "tenant") as tenant, tethered(site, work, tenant, old) as server:
        listed = tenant.control("GET", "managedDevices")["value"]
        devices = [d["id"] for d in listed if d["operatingSystem"] == "Windows"]
        # None of them can ask for the address of a device, and each writes a subject in its own way.
        plain = profile(tenant, "CN={{AAD_Device_ID}}")
        adorned = profile(tenant, "CN={{AAD_Device_ID}},OU=MDM,O=scep-client,C=US")

        for device, address in zip(devices, (PATH, f"{PATH}/pkiclient.exe", f"{PATH}/")):
            server.scep_url, policy = server.base_url + address, tenant.policy(plain, device)
            server.challenge = policy.challenge
            name = policy.subject.removeprefix("/CN=")
            _, issued = strongswan.enroll(server, folder(work, f"strongswan-{device}"), name)
            is_tethered(server, issued, name)

        server.scep_url = f"{server.base_url}{PATH}/pkiclient.exe"
        policy = tenant.policy(plain, devices[0])
        server.challenge, name = policy.challenge, policy.subject.removeprefix("/CN=")
        place = folder(work, "certmonger")
        done = certmonger.session(server, place, name)
        assert "status: MONITORING" in done.text, done.text
        is_tethered(server, place / "client.pem", name)

        policy = tenant.policy(adorned, devices[1])
        server.challenge = policy.challenge
        name = policy.subject.partition("/CN=")[2].partition("/")[0]
        place = folder(work, "scepclient")
        scepclient.enroll(server, place, server.challenge, name).ok()
        is_tethered(server, place / "client.pem", name)
        assert len(tenant.notified()) == 5, tenant.notified()


def profile(tenant: Tenant, subject: str) -> str:
    wanted = {"displayName": subject, "subjectNameFormat": subject, **BARE}
    return tenant.control("POST", "profiles", wanted)["id"]


def folder(work: Path, name: str) -> Path:
    place = work / name
    place.mkdir()
    return place


def is_tethered(server: Lanyard, issued: Path, name: str) -> None:
    run("openssl", "verify", "-CAfile", server.ca, issued).ok()
    assert name in openssl.field(issued, "subject"), openssl.field(issued, "subject")
    why = server.command("certificate", "why", openssl.field(issued, "serial")).ok().text
    assert "good" in why, why
