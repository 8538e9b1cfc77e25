"""The programs that are measured: built, started on loopback, asked, stopped."""

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "target"
RELEASE = TARGET / "release"
LANYARD = RELEASE / "lanyard"
EXAMPLES = RELEASE / "examples"

CHALLENGE = "measured-challenge"


def build() -> None:
    """Builds all that is ours, once, for release."""
    what = ["-p", "lanyard-server", "-p", "lanyard-store", "--bin", "lanyard"]
    what += ["--example", "hello", "--example", "fill"]
    subprocess.run(["cargo", "build", "--release", "--locked", *what], cwd=ROOT, check=True)


def take_from(folder: Path) -> None:
    """Measures the programs of this folder: those of a debug build show that all works, and no figures."""
    global LANYARD, EXAMPLES
    LANYARD, EXAMPLES = folder / "lanyard", folder / "examples"


def lanyard_json(*arguments: str) -> dict:
    """What a command answers."""
    done = subprocess.run([LANYARD, "--json", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"lanyard {' '.join(arguments)}: {done.stderr}{done.stdout}")
    return json.loads(done.stdout)


def fill(data: Path, certificates: int, revoked: int, serials: Path, der: Path, *objects: Path) -> None:
    """Puts certificates into the store of a server that is stopped; they follow the objects of a file, if one is
    named."""
    counts = [str(certificates), str(revoked)]
    command = [EXAMPLES / "fill", data / "lanyard.db", *counts, serials, der, *objects]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Process:
    """A server that runs."""

    def __init__(self, arguments: list, log: Path, **popen):
        self.log = log
        self.began = time.monotonic()
        with log.open("wb") as out:
            self.process = subprocess.Popen(arguments, stdout=out, stderr=out, **popen)

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for(self, pattern: str, seconds: float = 120) -> re.Match:
        """What the log says, once it does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.log.read_text(errors="replace"), re.MULTILINE):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        raise RuntimeError(f"{self.process.args[0]} did not start: {self.log.read_text()[-2000:]}")

    def wait_for_file(self, file: Path, seconds: float = 120) -> None:
        """Until the program has written it."""
        end = time.monotonic() + seconds
        while not file.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.process.args[0]} did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def cpu_seconds(self) -> float:
        """Processor time used so far, to a hundredth."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def wait_until_idle(self) -> None:
        """Waits until it has done nothing for a second."""
        before = -1.0
        while self.cpu_seconds() > before:
            before = self.cpu_seconds()
            time.sleep(1)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)


class Lanyard(Process):
    """`lanyard serve` on a data folder; `sections` are tables that follow the settings."""

    def __init__(self, folder: Path, settings: dict, sections: str = "", port: int = 0):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.data = folder, folder / "data"
        (folder / "challenge").write_text(CHALLENGE)
        config = folder / "lanyard.toml"
        own = {"endpoints.static.challenge_file": str(folder / "challenge")}
        config.write_text(toml(settings | own) + sections)
        serve = ["serve", "--config", config, "--data", self.data, "--listen", f"127.0.0.1:{port}"]
        super().__init__([LANYARD, *serve], folder / "log")
        answers = self.wait_for(r"answers requests.*?127\.0\.0\.1:(\d+)")
        self.start_seconds = time.monotonic() - self.began
        self.url = f"http://127.0.0.1:{answers[1]}"
        self.ca = folder / "ca.der"
        self.ca.write_bytes(fetch(f"{self.url}/ca"))

    def scep(self, requests: int, concurrency: int) -> dict:
        return good(scep(f"{self.url}/static", self, requests, concurrency))


def toml(settings: dict) -> str:
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    return 'listen.https = []\nauthority.subject = "CN=Measured CA"\n' + "".join(lines)


class Scepserver(Process):
    """Debian's scepserver (package scep), with the file depot that it has."""

    PROGRAM = shutil.which("scepserver")

    def __init__(self, folder: Path, bits: int):
        folder.mkdir(parents=True, exist_ok=True)
        make = [self.PROGRAM, "ca", "-init", "-keySize", str(bits), "-depot", folder / "depot"]
        subprocess.run(make, check=True, capture_output=True)
        port = free_port()
        serve = ["-depot", folder / "depot", "-port", str(port), "-challenge", CHALLENGE]
        super().__init__([self.PROGRAM, *serve, "-allowrenew", "0"], folder / "log")
        (folder / "challenge").write_text(CHALLENGE)
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"
        self.wait_for("listening|transport=http|addr")

    def scep(self, requests: int, concurrency: int) -> dict:
        """It refuses a few when many come at once: they are left out of its rate, not held against it."""
        return scep(f"{self.url}/scep", self, requests, concurrency)


class Hello(Process):
    """A server that says the same to everyone: HTTP alone, or with a signature each time."""

    def __init__(self, folder: Path, kind: str, size: int):
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__([EXAMPLES / "hello", kind, str(size)], folder / f"{kind}.log")
        port = self.wait_for(r"^(\d+)$")[1]
        self.url = f"http://127.0.0.1:{port}"


def fetch(url: str, body: bytes | None = None, media_type: str = "", method: str | None = None) -> bytes:
    """What a server answers to a GET, to a POST of `body`, or to another method."""
    headers = {} if body is None else {"Content-Type": media_type}
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(urllib.request.Request(url, body, headers, method=method)) as answer:
        return answer.read()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def scep(url: str, server: Process, requests: int, concurrency: int) -> dict:
    """Enrolls RSA-2048 clients; every reply's signature is verified, every tenth reply opened."""
    flags = ["--url", url, "--challenge-file", str(server.folder / "challenge"), "--pid", str(server.pid)]
    count = ["--requests", str(requests), "--count", str(requests), "-c", str(concurrency)]
    return lanyard_json("bench", "scep", *flags, *count)


def ocsp(url: str, server: Process, issuer: Path, serials: Path, span: float | int, *flags: str) -> dict:
    """Asks for the serial numbers of a file, one after the other and over again: for a time, or so often."""
    what = ["--url", url, "--issuer", str(issuer), "--serials", str(serials), "--pid", str(server.pid)]
    how = ["--count" if isinstance(span, int) else "--seconds", str(span), "-c", "64", *flags]
    return good(lanyard_json("bench", "ocsp", *what, *how))


def keys(each: float) -> dict:
    """Microseconds of raw key operations."""
    return lanyard_json("bench", "keys", "--each", str(each))


def good(report: dict) -> dict:
    if report["failed"]:
        raise RuntimeError(f"{report['what']} at {report['url']}: {report['failures']}")
    return report
