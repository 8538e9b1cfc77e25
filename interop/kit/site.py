"""What the cases run against: a running installation of Lanyard, or the small plain CA."""

import json
import threading
from pathlib import Path

from . import openssl
from .lint import Linter
from .plain_ca import PlainCa
from .process import Daemon, Finished, run
from .recorder import Recorder
from .scep_client import Identity, ScepClient


class Site:
    """Addresses and the CA's certificate; a subclass starts and stops what is behind them."""

    name: str
    base_url: str
    scep_url: str
    challenge: str
    ocsp_url: str
    crl_url: str
    ca: Path
    lint: Linter

    def client(self, work: Path) -> ScepClient:
        work.mkdir(parents=True, exist_ok=True)
        return ScepClient(self.scep_url, work)

    def device(self, work: Path, subject: str = "/CN=device-1", extensions: str = "") -> Identity:
        """A new key with a certificate of this CA."""
        return self.client(work).enroll(subject, self.challenge, extensions)

    def revoke(self, certificate: Path, reason: str = "keyCompromise") -> None:
        raise NotImplementedError

    def release(self, certificate: Path) -> None:
        raise NotImplementedError

    def profiles(self, work: Path) -> list[Path]:
        """A certificate of every profile, each file named after its profile."""
        raise NotImplementedError


class Lanyard(Site):
    """`lanyard demo` with its own data folder and ephemeral ports."""

    def __init__(self, program: Path, key: str, work: Path):
        self.name, self.program, self.work = key, program, work
        self.data = work / "data"
        work.mkdir(parents=True, exist_ok=True)
        self._ready = work / "ready.json"
        self._daemon = Daemon(
            program, "demo", "--data", self.data, "--listen", "127.0.0.1:0", "--ca-key", key,
            "--ready-file", self._ready, log=work / "log",
        )  # fmt: skip

    def __enter__(self) -> "Lanyard":
        tick = threading.Event()
        for _ in range(1200):
            if self._ready.exists():
                break
            if self._daemon.child.poll() is not None:
                raise AssertionError(f"lanyard demo ended:\n{self._daemon.text()}")
            tick.wait(0.1)
        else:
            raise AssertionError(f"lanyard demo is not ready:\n{self._daemon.text()}")
        ready = json.loads(self._ready.read_text())
        self.base_url = ready["base_url"]
        self.scep_url, self.challenge = ready["static_url"], ready["static_challenge"]
        self.ocsp_url, self.crl_url = ready["ocsp_url"], ready["crl_url"]
        self.ca = Path(ready["ca_file"])
        return self

    def __exit__(self, *_) -> None:
        status = self._daemon.stop()
        if status not in (0, 143):
            raise AssertionError(f"lanyard ended with {status}:\n{self._daemon.text()[-4000:]}")

    def command(self, *arguments) -> Finished:
        """A command on the running installation, through the socket in its data folder."""
        return run(self.program, *arguments, "--data", self.data)

    def revoke(self, certificate: Path, reason: str = "keyCompromise") -> None:
        serial = openssl.field(certificate, "serial")
        self.command("certificate", "revoke", serial, "--reason", reason).ok()

    def release(self, certificate: Path) -> None:
        self.command("certificate", "release", openssl.field(certificate, "serial")).ok()


class Plain(Site):
    """The plain CA: it shows that the cases themselves are sound."""

    def __init__(self, key: str, work: Path):
        self.name, folder = key, work / "plain"
        self.ca = openssl.authority(folder, key)
        self._peer = PlainCa(folder, work, "secret")
        self._recorder = Recorder(self._peer)

    def __enter__(self) -> "Plain":
        self._recorder.__enter__()
        self.base_url = self._recorder.url
        self.scep_url, self.challenge = self.base_url + "/scep", "secret"
        self.ocsp_url, self.crl_url = self.base_url + "/ocsp", ""
        self._peer.extensions += f"\nauthorityInfoAccess=OCSP;URI:{self.ocsp_url}"
        return self

    def __exit__(self, *_) -> None:
        self._recorder.__exit__()

    def revoke(self, certificate: Path, reason: str = "keyCompromise") -> None:
        self._peer.record(certificate, revoked=True)
