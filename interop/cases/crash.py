"""The process is killed while clients enroll: nothing that left it is lost, nothing is there twice."""

import random
import threading
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from kit import openssl, scep
from kit.scep import Shape
from kit.scep_client import Identity, ScepClient
from kit.site import Lanyard, Site
from kit.suite import case

from .openssl_ocsp import ask

KILLS, CLIENTS = 6, 3
# So many kills at most until one has cut a caller off in the middle of an exchange.
ENOUGH = 60


@dataclass
class Attempt:
    """One transaction: its message can be sent again, to the letter."""

    signer: Identity
    message: bytes
    # The server had taken the connection, and ended without an answer.
    cut_off: bool = False
    issued: list[Path] = field(default_factory=list)


class Caller(threading.Thread):
    """Enrolls again and again; each attempt is kept, whether an answer came or not."""

    def __init__(self, site: Lanyard, work: Path, number: int, stop: threading.Event):
        super().__init__(daemon=True)
        self.client = site.client(work / f"caller-{number}")
        self.challenge, self.number, self.stopping = site.challenge, number, stop
        self.attempts: list[Attempt] = []
        self.faults: list[str] = []
        self.client.authority()

    def run(self) -> None:
        signer = self.client.identity(f"/CN=caller-{self.number}")
        while not self.stopping.is_set():
            name = f"/CN=caller-{self.number}-{len(self.attempts)}"
            content = self.client.request(signer.key, name, self.challenge)
            shape = Shape(transaction_id=f"crash-{self.number}-{len(self.attempts)}")
            sealed = scep.envelope(content, self.client.authority().recipient, shape)
            message = scep.message(scep.PKCS_REQ, sealed, signer.certificate, signer.key, shape)
            self.attempts.append(Attempt(signer, message))
            try:
                body = self.client.send(message).ok().body
            except ConnectionRefusedError:
                continue
            except (OSError, HTTPException):
                self.attempts[-1].cut_off = True
                continue
            except AssertionError as fault:
                self.faults.append(str(fault))
                continue
            try:
                self.attempts[-1].issued.append(received(self.client, body, signer))
            except AssertionError as fault:
                self.faults.append(str(fault))


def made(callers: list[Caller]) -> list[Attempt]:
    return [attempt for caller in callers for attempt in caller.attempts]


def received(client: ScepClient, body: bytes, signer: Identity) -> Path:
    return client.granted(scep.read_reply(body, client.authority().ca), signer)


@case("killed again and again while clients enroll, it loses and doubles nothing", ("P-256",))
def killed(site: Site, work: Path) -> None:
    chance, tick = random.Random(8894), threading.Event()
    # RSA-2048: an answer takes a while to make, so that a kill falls into every step of it.
    with Lanyard(site.program, "rsa:2048", work / "server") as server:
        stop = threading.Event()
        callers = [Caller(server, work, number, stop) for number in range(CLIENTS)]
        for caller in callers:
            caller.start()
        kills = 0
        while kills < KILLS or not any(attempt.cut_off for attempt in made(callers)):
            assert kills < ENOUGH, "no kill fell into an enrollment"
            before = len(made(callers))
            while len(made(callers)) < before + 2:
                assert all(caller.is_alive() for caller in callers), "a caller gave up"
                tick.wait(0.01)
            tick.wait(chance.random() / 20)
            server.kill()
            server.start()
            kills += 1
        stop.set()
        for caller in callers:
            caller.join(60)
            assert not caller.faults, caller.faults
        attempts = [(caller.client, attempt) for caller in callers for attempt in caller.attempts]
        assert any(attempt.issued for _, attempt in attempts), "nobody was answered"
        for client, attempt in attempts:
            again = received(client, client.send(attempt.message).ok().body, attempt.signer)
            serials = {openssl.field(issued, "serial") for issued in [*attempt.issued, again]}
            assert len(serials) == 1, f"one transaction, certificates {serials}"
            assert f"{again}: good" in ask(server, "-cert", again).text
