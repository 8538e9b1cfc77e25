"""nginx and Apache ask OCSP about the certificates of those who call them."""

from pathlib import Path

from kit import openssl
from kit.site import Site
from kit.suite import EVERY, case
from kit.web import WebServer


@case("nginx lets good callers in and keeps revoked ones out", EVERY)
def nginx(site: Site, work: Path) -> None:
    visit(site, work, "nginx", "The SSL certificate error", "verify error: certificate revoked")


@case("Apache lets good callers in and keeps revoked ones out", EVERY)
def apache(site: Site, work: Path) -> None:
    visit(site, work, "apache", "alert certificate revoked", "certificate status: revoked")


def visit(site: Site, work: Path, kind: str, refusal: str, log: str) -> None:
    # The server's own certificate is somebody else's: this is about those who call.
    openssl.authority(work / "server", "P-256", "/CN=Somebody else")
    key = openssl.key(work / "tls.key", "P-256")
    csr = openssl.request(key, work / "tls.csr", "/CN=localhost")
    usage = "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth"
    certificate = openssl.issue(work / "server", csr, work / "tls.pem", usage, days=30)
    good, bad = (site.device(work / name, f"/CN={name}") for name in ("good", "bad"))
    site.revoke(bad.certificate)
    trusted = work / "server" / "ca.pem"
    with WebServer(kind, work, certificate, key, site.ca, trusted) as web:
        welcome = web.visit(good.certificate, good.key)
        assert welcome.text.startswith("welcome\n200"), welcome.text + web.log()
        refused = web.visit(bad.certificate, bad.key)
        assert refusal in refused.text and log in web.log(), refused.text + web.log()
