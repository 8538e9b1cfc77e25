"""nginx and Apache ask OCSP about the certificates of those who call them."""

from pathlib import Path

from kit.site import Site
from kit.suite import EVERY, case
from kit.web import WebServer


@case("nginx lets good callers in and keeps revoked ones out", EVERY)
def nginx(site: Site, work: Path) -> None:
    visit(site, work, "nginx", "The SSL certificate error")


@case("Apache lets good callers in and keeps revoked ones out", EVERY)
def apache(site: Site, work: Path) -> None:
    visit(site, work, "apache", "alert certificate revoked")


def visit(site: Site, work: Path, kind: str, refusal: str) -> None:
    server = site.device(work / "server", "/CN=localhost", "subjectAltName=DNS:localhost")
    good, bad = (site.device(work / name, f"/CN={name}") for name in ("good", "bad"))
    site.revoke(bad.certificate)
    with WebServer(kind, work, server.certificate, server.key, site.ca) as web:
        welcome = web.visit(good.certificate, good.key)
        assert welcome.text.startswith("welcome\n200"), welcome.text + web.log()
        refused = web.visit(bad.certificate, bad.key)
        assert refusal in refused.text, refused.text + web.log()
