"""NSS's ocspclnt: GET by HTTP/1.0, with an extension that no one else sends."""

from pathlib import Path

from kit.process import run
from kit.site import Site
from kit.suite import EVERY, case


@case("NSS hears good, then revoked", EVERY)
def good_then_revoked(site: Site, work: Path) -> None:
    device = site.device(work / "device").certificate
    database = f"sql:{work}"
    run("certutil", "-N", "-d", database, "--empty-password").ok()
    run("certutil", "-A", "-d", database, "-n", "ca", "-t", "CT,C,C", "-i", site.ca).ok()
    run("certutil", "-A", "-d", database, "-n", "device", "-t", ",,", "-i", device).ok()
    good = run("ocspclnt", "-S", "device", "-d", database).ok().text
    assert 'Check of certificate "device" succeeded' in good, good
    site.revoke(device)
    revoked = run("ocspclnt", "-S", "device", "-d", database).text
    assert "revoked" in revoked.lower() and "succeeded" not in revoked, revoked
