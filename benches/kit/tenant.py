"""A simulated tenant that is changed at a steady pace, and how long its certificates take to say so."""

import heapq
import http.client
import json
import random
import subprocess
import threading
import time
import urllib.parse
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from . import programs
from .programs import Process


class Simulator(Process):
    """`lanyard simulate` with so many users and as many devices."""

    def __init__(self, folder: Path, objects: int):
        folder.mkdir(parents=True, exist_ok=True)
        ready = folder / "ready.json"
        size = ["--devices", str(objects), "--users", str(objects), "--ready-file", ready]
        command = [programs.LANYARD, "simulate", "--listen", "127.0.0.1:0", *size]
        super().__init__(command, folder / "log")
        self.wait_for_file(ready)
        self.said = json.loads(ready.read_text())
        self.secret = folder / "secret"
        self.secret.write_text(self.said["client_secret"])

    def control(self, method: str, path: str, body: dict | None = None) -> dict:
        url = f"{self.said['simulator_url']}/_control/{path}"
        data = None if body is None else json.dumps(body).encode()
        return json.loads(programs.fetch(url, data, "application/json", method=method) or b"null")

    def ids(self, kind: str, count: int) -> list[str]:
        """The ids of the first objects of a kind."""
        ids, start = [], 0
        while len(ids) < count:
            page = self.control("GET", f"{kind}?from={start}&top={min(10_000, count - len(ids))}")
            ids += [one["id"] for one in page["value"]]
            start = page["next"]
            if start is None:
                break
        return ids

    def section(self, settings: dict) -> str:
        """The settings by which a server follows the tenant."""
        whole = {
            "name": "measured",
            "tenant_id": self.said["tenant_id"],
            "url": self.said["simulator_url"],
            "client_id": self.said["client_id"],
            "secret_file": str(self.secret),
        }
        lines = (f"{name} = {json.dumps(value)}\n" for name, value in (whole | settings).items())
        return "\n[[directory]]\n" + "".join(lines)


@dataclass(frozen=True)
class Followed:
    """A certificate, and the object that it follows."""

    serial: str
    object: str


class Responder:
    """An OCSP responder that is asked about one certificate at a time, without a nonce."""

    GOOD, REVOKED, NOTHING = "good", "revoked", "nothing"
    STATUS = {0x80: GOOD, 0xA1: REVOKED}

    def __init__(self, url: str, issuer: Path, example: str, folder: Path):
        address = urllib.parse.urlsplit(f"{url}/ocsp")
        self.host, self.path = address.netloc, address.path
        asked = folder / f"asked-{threading.get_ident()}"
        command = ["openssl", "ocsp", "-issuer", issuer, "-serial", f"0x{example}", "-no_nonce"]
        subprocess.run([*command, "-reqout", asked], check=True, capture_output=True)
        # Serial numbers here are all equally long: one request is the form of all.
        before, found, after = asked.read_bytes().partition(bytes.fromhex(example))
        assert found, "the request does not hold the serial number"
        self.before, self.after = before, after
        self.connection = http.client.HTTPConnection(self.host)

    def ask(self, serial: str) -> str:
        """What the responder says now; nothing where it says to try later."""
        number = bytes.fromhex(serial)
        headers = {"Content-Type": "application/ocsp-request"}
        body = self.before + number + self.after
        try:
            answer = self._post(body, headers)
        except (http.client.HTTPException, ConnectionError):
            # A server may close a connection that rests.
            self.connection.close()
            answer = self._post(body, headers)
        # In an answer the status follows the CertID, which ends with the serial number.
        _, found, rest = answer.partition(bytes([2, len(number)]) + number)
        return self.STATUS.get(rest[0], self.NOTHING) if found and rest else self.NOTHING

    def _post(self, body: bytes, headers: dict) -> bytes:
        self.connection.request("POST", self.path, body, headers)
        return self.connection.getresponse().read()


class Watch(threading.Thread):
    """Asks a responder about certificates, each until it is revoked, and keeps how long that took."""

    #: The wait between two questions, as a share of the time that has passed; and its bounds in seconds.
    SHARE, LEAST, MOST = 0.02, 0.01, 0.25

    def __init__(self, responder: Responder):
        super().__init__(daemon=True)
        self.responder = responder
        self.seconds: list[float] = []
        self.broken: Exception | None = None
        self._due: list[tuple[float, float, str]] = []
        self._new = threading.Condition()
        self._is_over = False

    def changed(self, serial: str, at: float) -> None:
        """The change of its object was acknowledged then."""
        with self._new:
            heapq.heappush(self._due, (at, at, serial))
            self._new.notify()

    def finish(self, patience: float) -> list[float]:
        """What all took, once all are revoked."""
        with self._new:
            self._is_over = True
            self._new.notify()
        self.join(patience)
        if self.broken:
            raise self.broken
        if self.is_alive():
            raise RuntimeError(f"{len(self._due)} certificates are not revoked after {patience} s")
        return self.seconds

    def run(self) -> None:
        try:
            while one := self._next():
                at, serial = one
                revoked = self.responder.ask(serial) == Responder.REVOKED
                passed = time.monotonic() - at
                if revoked:
                    self.seconds.append(passed)
                    continue
                wait = min(max(self.SHARE * passed, self.LEAST), self.MOST)
                with self._new:
                    heapq.heappush(self._due, (time.monotonic() + wait, at, serial))
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            self.broken = error

    def _next(self) -> tuple[float, str] | None:
        with self._new:
            while True:
                if not self._due:
                    if self._is_over:
                        return None
                    self._new.wait()
                    continue
                wait = self._due[0][0] - time.monotonic()
                if wait <= 0:
                    _, at, serial = heapq.heappop(self._due)
                    return at, serial
                self._new.wait(wait)


@dataclass(eq=False)
class Changes(threading.Thread):
    """Disables users and enables them again, so many a minute; watches some of those that are disabled.

    Half of the changes are of either kind once some have been disabled for long enough to be found.
    """

    simulator: Simulator
    users: list[Followed]
    a_minute: float
    watches: list[Watch]
    seed: int
    #: Every so many that are disabled are watched.
    watched_every: int
    #: How long a user stays disabled at least, in seconds.
    disabled_for: float = 90.0
    made: int = 0
    broken: Exception | None = None
    _disabled: deque = field(default_factory=deque)
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self):
        super().__init__(daemon=True)

    def run(self) -> None:
        try:
            self._change()
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            self.broken = error

    def _change(self) -> None:
        order = self.users[:]
        random.Random(self.seed).shuffle(order)
        untouched, disabled = deque(order), self._disabled
        number, was_disabled, begun = 0, False, time.monotonic()
        while not self._over.wait(max(0.0, begun + self.made * 60 / self.a_minute - time.monotonic())):
            is_found = disabled and time.monotonic() - disabled[0][0] >= self.disabled_for
            if is_found and (was_disabled or not untouched):
                _, user = disabled.popleft()
                self._set(user, True)
                untouched.append(user)
                was_disabled = False
            elif untouched:
                user = untouched.popleft()
                self._set(user, False)
                at = time.monotonic()
                disabled.append((at, user))
                if number % self.watched_every == 0:
                    for watch in self.watches:
                        watch.changed(user.serial, at)
                number, was_disabled = number + 1, True
            self.made += 1

    def _set(self, user: Followed, enabled: bool) -> None:
        self.simulator.control("PATCH", f"users/{user.object}", {"accountEnabled": enabled})

    def stop(self, patience: float = 120) -> list[list[float]]:
        """Changes no more. What each watch saw, in seconds; then everybody is enabled again."""
        self._over.set()
        self.join(patience)
        try:
            if self.broken:
                raise self.broken
            return [watch.finish(patience) for watch in self.watches]
        finally:
            while self._disabled:
                self._set(self._disabled.popleft()[1], True)
