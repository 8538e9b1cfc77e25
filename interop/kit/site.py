"""What the cases run against: a running installation of Lanyard, or the small plain CA."""

import os
from pathlib import Path

from . import openssl
from .http import fetch
from .lint import Linter
from .plain_ca import PlainCa
from .process import Daemon, Finished, free_port, run
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


class Lanyard(Site):
    """`lanyard serve` with a data folder and settings of its own on an ephemeral port."""

    challenge = "a challenge of the tests"

    def __init__(self, program: Path, key: str, work: Path, settings: str = ""):
        self.name, self.program, self.work = key, program, work
        work.mkdir(parents=True, exist_ok=True)
        self.data, self.ca, self.port = work / "data", work / "ca.pem", free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.scep_url, self.ocsp_url = self.base_url + "/static", self.base_url + "/ocsp"
        self.crl_url = f"{self.base_url}/crl/token-of-the-tests"
        (work / "challenge").write_text(self.challenge)
        (work / "token").write_text("token-of-the-tests")
        self._settings = work / "lanyard.toml"
        self._settings.write_text(self._toml(settings))
        self._daemon: Daemon | None = None

    def _toml(self, settings: str) -> str:
        """The settings of this run; `section.key=value` lines in `settings` add to them."""
        lines = [
            f"data = '{self.data}'",
            f"listen.http = ['127.0.0.1:{self.port}']",
            "listen.https = []",
            "listen.header_timeout = '5s'",
            f"publication.base_url = '{self.base_url}'",
            "authority.subject = 'CN=Lanyard Interop CA,O=Example,C=DE'",
            f"authority.key = '{self.name.lower().replace(':', '-')}'",
            f"endpoints.static.challenge_file = '{self.work / 'challenge'}'",
            f"crl.token_file = '{self.work / 'token'}'",
            "limits.wrong_challenges_at_once = 1000",
        ]
        return "\n".join([*lines, settings, ""])

    def launch(self) -> None:
        """Starts the process, whether or not it has a CA to serve."""
        command = [self.program, "serve", "--config", self._settings]
        self._daemon = Daemon(*command, log=self.work / "log", env=without_ours())

    def start(self) -> "Lanyard":
        self.launch()
        try:
            self._daemon.wait_for_port(self.port, limit=120)
            self.fetch_ca()
        except BaseException:
            self.kill()
            raise
        return self

    def fetch_ca(self) -> None:
        der = fetch(self.base_url + "/ca").ok().body
        self.ca.write_bytes(run("openssl", "x509", "-inform", "DER", stdin=der).ok().out)

    def stop(self) -> None:
        status = self._daemon.stop()
        assert status == 0, f"lanyard ended with {status}:\n{self._daemon.text()[-4000:]}"

    def kill(self) -> None:
        """Ends the process in the middle of whatever it does."""
        self._daemon.kill()

    def __enter__(self) -> "Lanyard":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def command(self, *arguments) -> Finished:
        """A command on the running installation, through the socket in its data folder."""
        return run(self.program, *arguments, "--data", self.data, env=without_ours())

    def revoke(self, certificate: Path, reason: str = "keyCompromise") -> None:
        serial = openssl.field(certificate, "serial")
        self.command("certificate", "revoke", serial, "--reason", reason).ok()

    def release(self, certificate: Path) -> None:
        self.command("certificate", "release", openssl.field(certificate, "serial")).ok()


def without_ours() -> dict[str, str]:
    """Variables that would set something in the program, taken out of its environment."""
    return {name: None for name in os.environ if name.startswith("LANYARD_")}


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
