"""certmonger: its submission helper alone, and the daemon from first request to monitoring."""

from pathlib import Path

from kit import openssl
from kit.process import Finished, run
from kit.site import Site
from kit.suite import EVERY, case

HELPER = "/usr/lib/certmonger/scep-submit"

SESSION = """
set -u
mkdir -p "$1/requests" "$1/cas" "$1/local"
export CERTMONGER_REQUESTS_DIR=$1/requests CERTMONGER_CAS_DIR=$1/cas CERTMONGER_LOCAL_CA_DIR=$1/local
/usr/lib/certmonger/certmonger-session -n -d 3 > "$1/log" 2>&1 &
daemon=$!
until getcert list-cas -s > /dev/null 2>&1 || ! kill -0 $daemon; do :; done
getcert add-scep-ca -s -c T -u "$2" -N "$3"
getcert request -s -c T -I first -k "$1/client.key" -f "$1/client.pem" -N "CN=$5" -L "$4" -w -v
RENEWALS
getcert list -s
kill $daemon
wait $daemon
grep -iE 'error|fail' "$1/log" | tail -20
"""

RENEWALS = """
openssl x509 -in "$1/client.pem" -out "$1/requested.pem"
getcert resubmit -s -i first -w -v
openssl x509 -in "$1/client.pem" -out "$1/resubmitted.pem"
getcert rekey -s -i first -w -v
openssl x509 -in "$1/client.pem" -out "$1/rekeyed.pem"
"""


@case("certmonger's helper asks for capabilities and certificates", EVERY)
def helper_asks(site: Site, work: Path) -> None:
    capabilities = run(HELPER, "-u", site.scep_url, "-c").ok().text.split()
    wanted = {"Renewal", "SHA-256", "SHA-512", "AES", "SCEPStandard", "POSTPKIOperation"}
    assert wanted <= set(capabilities), capabilities
    sent = run(HELPER, "-u", site.scep_url, "-C").ok().out
    ca = openssl.der(site.ca)
    found = [openssl.der_of(pem) == ca for pem in openssl.certificates(sent.decode())]
    assert any(found), f"the CA is not among those sent:\n{sent.decode()}"


@case("certmonger's daemon requests, resubmits and rekeys", EVERY)
def daemon_monitors(site: Site, work: Path) -> None:
    done = session(site, work, "certmonger-1", RENEWALS)
    assert "status: MONITORING" in done.text, done.text
    serials = set()
    for name in ("requested", "resubmitted", "rekeyed"):
        run("openssl", "verify", "-CAfile", site.ca, work / f"{name}.pem").ok()
        serials.add(openssl.field(work / f"{name}.pem", "serial"))
    assert len(serials) == 3, f"certificates were handed out twice: {serials}"
    first, second, third = (
        openssl.public_key(work / f"{name}.pem") for name in ("requested", "resubmitted", "rekeyed")
    )
    assert first == second and second != third, "the key changed when it should not, or did not"


def session(site: Site, work: Path, name: str, renewals: str = "") -> Finished:
    """The daemon on a bus of its own, until it has the certificate and has renewed it."""
    script = work / "session.sh"
    script.write_text(SESSION.replace("RENEWALS", renewals))
    return run(
        "dbus-run-session", "--", "bash", script, work, site.scep_url, site.ca, site.challenge, name,
        limit=240, env={"HOME": str(work), "XDG_RUNTIME_DIR": str(work)},
    )  # fmt: skip
