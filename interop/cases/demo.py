"""`lanyard demo`: the tour ends well, and what stays up is what its ready file says."""

import json
from pathlib import Path

from kit import openssl
from kit.http import fetch
from kit.process import Daemon, free_port, run
from kit.scep_client import ScepClient
from kit.site import Site, without_ours
from kit.suite import case

KEYS = "base_url tls_url ca_url ca_file data_dir static_url static_challenge crl_url ocsp_url console_url"
KEYS += " intune_url simulator_url tenant_id examples"


@case("the demo's tour goes from good to revoked and ends with 0", ("rsa:2048",))
def tour(site: Site, work: Path) -> None:
    listen = ["--listen", f"127.0.0.1:{free_port()}"]
    done = run(site.program, "demo", "--exit", *listen, limit=120, env=without_ours(), cwd=work)
    told = [line.split()[1] for line in done.ok().text.splitlines() if line.startswith("OCSP ")]
    assert told[0] == "good;" and "revoked" in told, done.text


@case("the demo stays up as its ready file says", ("rsa:2048",))
def stays_up(site: Site, work: Path) -> None:
    ready = work / "ready.json"
    command = [site.program, "demo", "--ready-file", ready, "--data", work / "data"]
    command += ["--listen", f"127.0.0.1:{free_port()}"]
    with Daemon(*command, log=work / "log", env=without_ours()) as daemon:
        daemon.wait_for_file(ready)
        said = json.loads(ready.read_text())
        missing = [key for key in KEYS.split() if key not in said]
        assert not missing, f"the ready file lacks {missing}"
        folder = work / "client"
        folder.mkdir()
        device = ScepClient(said["static_url"], folder).enroll("/CN=d", said["static_challenge"])
        fetch(said["ca_url"]).ok()
        fetch(said["crl_url"]).ok("application/pkix-crl")
        ca = said["ca_file"]
        ask = ["openssl", "ocsp", "-url", said["ocsp_url"], "-issuer", ca, "-CAfile", ca]
        assert ": good" in run(*ask, "-cert", device.certificate).ok().text
        serial = openssl.field(device.certificate, "serial")
        revoke = ["certificate", "revoke", serial, "--data", said["data_dir"]]
        run(site.program, *revoke, env=without_ours()).ok()
        assert ": revoked" in run(*ask, "-cert", device.certificate).ok().text
        for example in ("device_serial", "user_serial"):
            explained(site, said, said["examples"][example])
        tls = run("curl", "-sS", "--cacert", ca, said["tls_url"] + "/probe").ok()
        assert tls.out, tls.text


def explained(site: Site, said: dict, serial: str) -> None:
    """`certificate why` of a certificate that follows an object and is good, in its JSON form."""
    command = ["certificate", "why", serial, "--json", "--data", said["data_dir"]]
    why = json.loads(run(site.program, *command, env=without_ours()).ok().out)
    assert why["serial"].upper() == serial.upper() and why["state"] == "good", why
    for fact in why["facts"]:
        assert {"source", "object", "name", "value", "learnt"} <= set(fact), fact
    assert why["facts"], "nothing is known of its object"
    assert why["ocsp"]["status"] == "good" and why["ocsp"]["nextUpdate"], why["ocsp"]
