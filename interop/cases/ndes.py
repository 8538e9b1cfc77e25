"""NDES's address, where Intune sends devices, as odd clients write it."""

from pathlib import Path

from kit import openssl
from kit.http import fetch
from kit.site import Lanyard, Site
from kit.suite import case
from kit.tenant import Tenant

from .settings import ONE, installation

PATH = "/certsrv/mscep/mscep.dll"


def tethered(site: Site, work: Path, tenant: Tenant, further: str = "") -> Lanyard:
    """An installation that follows the tenant and takes requests whose challenges it made."""
    settings = f"endpoints.intune.availability = 'open'\n{further}\n{tenant.settings()}"
    return installation(site, work, settings, site.name)


@case("NDES's address is known in any letter case, with a slash or a program behind it", ONE)
def addresses(site: Site, work: Path) -> None:
    with Tenant(site.program, work / "tenant") as tenant, tethered(site, work, tenant) as server:
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
