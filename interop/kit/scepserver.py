"""The scepserver of Debian's package `scep`, as a foreign server for our client and for ratios."""

import shutil
from pathlib import Path

from .process import Daemon, free_port, run


class Scepserver:
    """Serves the CA kept in a folder; it listens on every address, for as long as the block lasts."""

    def __init__(self, authority: Path, work: Path, challenge: str):
        depot = work / "depot"
        depot.mkdir()
        shutil.copy(authority / "ca.pem", depot)
        key = ["-in", authority / "ca.key", "-traditional", "-des3", "-passout", "pass:secret"]
        run("openssl", "rsa", *key, "-out", depot / "ca.key").ok()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/scep"
        self._daemon = Daemon(
            "scepserver", "-depot", depot, "-port", self.port, "-challenge", challenge,
            "-allowrenew", "0", "-capass", "secret", log=work / "scepserver.log",
        )  # fmt: skip

    def __enter__(self) -> "Scepserver":
        self._daemon.wait_for_port(self.port)
        return self

    def __exit__(self, *_) -> None:
        self._daemon.stop()
