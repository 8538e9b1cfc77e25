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
        tls = run("curl", "-sS", "--cacert", ca, said["tls_url"] + "/probe").ok()
        assert tls.out, tls.text
