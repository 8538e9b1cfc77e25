"""`benches/compare`: that it still measures what it says, on a tenant that is too small for figures."""

import json
import sys
from pathlib import Path

from kit.process import run
from kit.site import Site, without_ours
from kit.suite import case

ROOT = Path(__file__).resolve().parents[2]


@case("the bench of tethered certificates sees every change and answers all", ("rsa:2048",))
def tether(site: Site, work: Path) -> None:
    report = work / "report.json"
    command = [sys.executable, ROOT / "benches/compare", "--only", "tether", "--scale", "tiny"]
    command += ["--programs", site.program.parent, "--json", report]
    run(*command, limit=300, env=without_ours(), cwd=work).ok()
    measured = json.loads(report.read_text())["measured"]
    for name in ("by rounds", "by notifications", "devices"):
        delays = measured[f"{name}, change to revoked"]["rounds"]
        assert delays and min(delays) > 0, f"{name}: {delays}"
    for name in ("by rounds", "by notifications"):
        for what in ("recorded", "answered"):
            assert measured[f"{name}, {what} p99"]["median"] > 0, f"{name}: {what} was never counted"
    assert measured["devices failed"]["median"] == 0, measured["devices failed"]
