"""GnuTLS's ocsptool."""

from pathlib import Path

from kit.process import run
from kit.site import Site
from kit.suite import EVERY, case


@case("ocsptool hears good, then revoked", EVERY)
def good_then_revoked(site: Site, work: Path) -> None:
    device = site.device(work).certificate
    trust = ["--load-cert", device, "--load-issuer", site.ca, "--load-trust", site.ca]
    for nonce in ("--nonce", "--no-nonce"):
        text = run("ocsptool", f"--ask={site.ocsp_url}", *trust, nonce).ok().text
        assert "Certificate Status: good" in text, text
        assert "Verifying OCSP Response: Success" in text, text
        assert ("Nonce: " in text) == (nonce == "--nonce"), text
    site.revoke(device)
    text = run("ocsptool", f"--ask={site.ocsp_url}", *trust).text
    assert "Certificate Status: revoked" in text, text
    assert "Verifying OCSP Response: Success" in text, text
