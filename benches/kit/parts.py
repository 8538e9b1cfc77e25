"""The parts of a run: each sets its servers up, measures them round by round, and makes its rows."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import programs
from .measure import Measurements, Row
from .programs import Hello, Lanyard, Scepserver
from .scale import Scale

P256_RESPONDER = {"authority.key": "rsa-2048", "ocsp.key": "p-256"}
RSA_RESPONDER = {"authority.key": "rsa-2048", "ocsp.key": "rsa-2048"}


class Part:
    """What all parts have."""

    name: str

    def __init__(self):
        self.servers = []

    def started(self, server):
        self.servers.append(server)
        return server

    def measure(self, seen: Measurements) -> None:
        """Everything once."""

    def measure_once(self, seen: Measurements) -> None:
        """What is not for every round."""

    def rows(self, seen: Measurements) -> list[Row]:
        raise NotImplementedError

    def stop(self) -> None:
        for server in self.servers:
            server.stop()


class Scep(Part):
    """Enrollment: RSA-2048 clients, every certificate durable in SQLite before it is sent."""

    name = "scep"

    #: Name, settings, key of the CA, key that receives and answers messages.
    SETUPS = [
        ("CA 2048", {"authority.key": "rsa-2048"}, "rsa2048", "rsa2048"),
        ("CA 4096", {"authority.key": "rsa-4096"}, "rsa4096", "rsa4096"),
        (
            "CA 4096, RA 2048",
            {"authority.key": "rsa-4096", "scep.identity": "ra"},
            "rsa4096",
            "rsa2048",
        ),
        ("CA 2048, 100,000 issued", {"authority.key": "rsa-2048"}, "rsa2048", "rsa2048"),
    ]
    FULL, PEER, ALONE = "CA 2048, 100,000 issued", "scepserver", "one client"

    def __init__(self, folder: Path, scale: Scale):
        super().__init__()
        self.requests = {"rsa2048": 800 if scale.is_short else 2500, "rsa4096": 200 if scale.is_short else 600}
        self.each = 0.1 if scale.is_short else 0.4
        self.setups = {}
        for number, (name, settings, *_) in enumerate(self.SETUPS):
            place = folder / f"{number}"
            server = Lanyard(place, settings)
            if name == self.FULL:
                server.stop()
                ca, issued = server.ca, 20_000 if scale.is_short else 100_000
                programs.fill(server.data, issued, 0, place / "serials", ca)
                server = Lanyard(place, settings)
            self.setups[name] = self.started(server)
        self.peer = Scepserver(folder / "peer", 2048) if Scepserver.PROGRAM else None
        if self.peer:
            self.started(self.peer)

    def measure(self, seen: Measurements) -> None:
        seen.note_keys(programs.keys(self.each))
        for name, _, ca, _ in self.SETUPS:
            seen.note_load(name, self.setups[name].scep(self.requests[ca], 16))
        first = self.setups[self.SETUPS[0][0]]
        seen.note_load(self.ALONE, first.scep(self.requests["rsa2048"] // 4, 1))
        if self.peer:
            report = self.peer.scep(self.requests["rsa2048"] // 4, 16)
            seen.note_load(self.PEER, report)
            seen.note(f"{self.PEER} failed", 100 * report["failed"] / (report["failed"] + report["good"]))

    def rows(self, seen: Measurements) -> list[Row]:
        rows = []
        for name, _, ca, identity in self.SETUPS:
            needed = indispensable(seen, ca, identity)
            share = 100 * needed / seen.median(f"{name} us")
            note = f"{seen.of_load(name)}; its keys alone {needed:.4g} us"
            rows.append(Row(f"SCEP, {name}: share of key operations", share, least=85, note=note))
        first = self.SETUPS[0][0]
        rows.append(
            Row(
                "SCEP, 100,000 issued : none, rate by CPU",
                100 * seen.ratio(f"{first} us", f"{self.FULL} us"),
                least=95,
            )
        )
        rows.append(
            Row(
                "SCEP, one client at a time: p99",
                seen.median(f"{self.ALONE} p99"),
                "ms",
                note=seen.of_load(self.ALONE),
            )
        )
        if self.peer:
            by_rate = seen.ratio(f"{first} rate", f"{self.PEER} rate")
            by_cpu = seen.ratio(f"{self.PEER} us", f"{first} us")
            failed = seen.median(f"{self.PEER} failed")
            note = f"by CPU {by_cpu:.1f}; it: {seen.of_load(self.PEER)}, {failed:.1f} % refused"
            rows.append(Row("SCEP, CA 2048 : scepserver, rate", by_rate, "x", least=4, note=note))
        return rows


def indispensable(seen: Measurements, ca: str, identity: str) -> float:
    """Microseconds of the key operations without which there is no enrollment: the content key decrypted, the
    message and the request in it verified, the certificate signed, the reply signed and its key encrypted."""
    operations = [f"{identity}-decrypt", "rsa2048-verify", "rsa2048-verify"]
    operations += [f"{ca}-sign", f"{identity}-sign", "rsa2048-encrypt"]
    return sum(seen.median(f"key {name}") for name in operations)


class Ocsp(Part):
    """Status: answers kept and fresh, beside servers that say hello in as many octets."""

    name = "ocsp"

    def __init__(self, folder: Path, scale: Scale):
        super().__init__()
        self.seconds = 1.5 if scale.is_short else 4.0
        self.ours = {}
        for key, settings in (("p256", P256_RESPONDER), ("rsa2048", RSA_RESPONDER)):
            self.ours[key] = self.started(filled(folder / key, settings, 1_000, 0))
        size = answer_octets(self.ours["rsa2048"])
        small = answer_octets(self.ours["p256"])
        self.hello = {
            kind: self.started(Hello(folder, kind, octets))
            for kind, octets in (
                ("axum", size),
                ("hyper", size),
                ("axum-rsa2048", size),
                ("axum-p256", small),
            )
        }
        self.octets = size

    def measure(self, seen: Measurements) -> None:
        kept = self.ours["rsa2048"]
        for method, flags in (("POST", []), ("GET", ["--get"])):
            for kind in ("axum", "hyper"):
                seen.note_load(f"{kind} {method}", self.ask_hello(kind, *flags))
            seen.note_load(f"kept {method}", self.ask(kept, *flags))
        for key, server in self.ours.items():
            seen.note_load(f"hello {key}", self.ask_hello(f"axum-{key}", "--nonce"))
            seen.note_load(f"nonce {key}", self.ask(server, "--nonce"))

    def ask(self, server: Lanyard, *flags: str) -> dict:
        return ask(server, self.seconds, *flags)

    def ask_hello(self, kind: str, *flags: str) -> dict:
        hello, like = self.hello[kind], self.ours["rsa2048"]
        url, serials = f"{hello.url}/ocsp", like.folder / "serials"
        return programs.ocsp(url, hello, like.ca, serials, self.seconds, "--any-answer", *flags)

    def rows(self, seen: Measurements) -> list[Row]:
        rows = []
        for method in ("POST", "GET"):
            for kind, least in (("axum", 75), ("hyper", None)):
                name = f"OCSP, kept, {method} : hello {kind}"
                share = 100 * seen.ratio(f"{kind} {method} us", f"kept {method} us")
                by_rate = 100 * seen.ratio(f"kept {method} rate", f"{kind} {method} rate")
                note = f"by rate {by_rate:.0f} %; {seen.of_load(f'kept {method}')}"
                rows.append(Row(name, share, least=least, note=note))
        for key in self.ours:
            share = 100 * seen.ratio(f"hello {key} us", f"nonce {key} us")
            by_rate = 100 * seen.ratio(f"nonce {key} rate", f"hello {key} rate")
            note = f"by rate {by_rate:.0f} %; {seen.of_load(f'nonce {key}')}"
            rows.append(Row(f"OCSP, nonce, {key} : hello that signs", share, least=80, note=note))
        return rows


class Store(Part):
    """What a million certificates cost: status answers, memory, start; and a CRL of 100,000 entries."""

    name = "store"

    REVOKED = 100_000
    SETTINGS = P256_RESPONDER | {"crl.delta_from": 0, "crl.access": "public"}

    def __init__(self, folder: Path, scale: Scale):
        super().__init__()
        self.seconds = 1.5 if scale.is_short else 4.0
        self.certificates = 200_000 if scale.is_short else 1_000_000
        self.revoked = self.REVOKED // 5 if scale.is_short else self.REVOKED
        settings = self.SETTINGS
        self.small = self.started(filled(folder / "small", settings, 1_000, 0))
        self.large = self.started(filled(folder / "large", settings, self.certificates, self.revoked))
        self.large.wait_until_idle()
        self.at_rest = self.large.resident_mib()
        every = (self.large.folder / "serials").read_text().splitlines()
        step = len(every) // 1_000
        (self.large.folder / "some").write_text("\n".join(every[::step]))

    def measure(self, seen: Measurements) -> None:
        for name, server in (("small", self.small), ("large", self.large)):
            serials = "serials" if server is self.small else "some"
            seen.note_load(f"{name} kept", ask(server, self.seconds, serials=serials))
            seen.note_load(f"{name} nonce", ask(server, self.seconds, "--nonce", serials=serials))

    def measure_once(self, seen: Measurements) -> None:
        # Every certificate asked for once, then once again: read from the store, then remembered.
        for name in ("every, first time", "every, again"):
            seen.note_load(name, ask(self.large, self.certificates, "--nonce"))
        seen.note("resident", self.large.resident_mib())
        self.large.wait_until_idle()
        to_revoke = iter(reversed((self.large.folder / "serials").read_text().split()))
        for _ in range(3):
            before = self.large.cpu_seconds()
            self.revoke(next(to_revoke))
            self.large.wait_until_idle()
            seen.note("crl", self.large.cpu_seconds() - before)
        seen.note("crl octets", len(programs.fetch(f"{self.large.url}/crl")))
        seen.note_load("beside nothing", self.ask_some())
        with ThreadPoolExecutor(1) as beside:
            asking = beside.submit(self.ask_some)
            while not asking.done():
                self.revoke(next(to_revoke))
            seen.note_load("beside CRLs", asking.result())
        for _ in range(3):
            self.servers.remove(self.large)
            self.large.stop()
            self.large = self.started(Lanyard(self.large.folder, self.SETTINGS))
            seen.note("start", self.large.start_seconds)

    def ask_some(self) -> dict:
        return ask(self.large, self.seconds, "--nonce", serials="some")

    def revoke(self, serial: str) -> None:
        data = str(self.large.data)
        programs.lanyard_json("certificate", "revoke", serial, "--data", data, "--reason", "superseded")

    def rows(self, seen: Measurements) -> list[Row]:
        count = f"{self.certificates:,}"
        rows = [
            Row(
                f"OCSP, {what}, {count} : 1,000 certificates",
                100 * seen.ratio(f"small {what} us", f"large {what} us"),
                least=90,
                note=seen.of_load(f"large {what}"),
            )
            for what in ("kept", "nonce")
        ]
        for what in ("every, first time", "every, again"):
            share = 100 * seen.median("small nonce us") / seen.median(f"{what} us")
            least = None if what == "every, first time" else 90
            name = f"OCSP, nonce, {what}, {count} : 1,000"
            rows.append(Row(name, share, least=least, note=seen.of_load(what)))
        rows += [
            Row(f"Resident, {count} certificates", seen.median("resident"), "MiB",
                note=f"{self.at_rest:.0f} MiB after the start"),
            Row(f"Start, {count} certificates", seen.median("start"), "s", most=1),
            Row(f"CRL of {self.revoked:,} entries, CPU", seen.median("crl"), "s", most=1,
                note=f"{seen.median('crl octets'):,.0f} octets, with its revocation"),
            Row("OCSP, nonce, p99 while it is built again and again", seen.median("beside CRLs p99"), "ms",
                note=f"else {seen.median('beside nothing p99'):.3g} ms"),
        ]
        return rows


def filled(folder: Path, settings: dict, certificates: int, revoked: int) -> Lanyard:
    """A server with so many certificates, whose serial numbers are in the file `serials`."""
    server = Lanyard(folder, settings)
    server.stop()
    programs.fill(server.data, certificates, revoked, folder / "serials", server.ca)
    return Lanyard(folder, settings)


def ask(server: Lanyard, span: float | int, *flags: str, serials: str = "serials") -> dict:
    """Asks for so many seconds, or a whole number of times."""
    url = f"{server.url}/ocsp"
    return programs.ocsp(url, server, server.ca, server.folder / serials, span, *flags)


def answer_octets(server: Lanyard) -> int:
    """The length of one answer."""
    serial = (server.folder / "serials").read_text().split()[0]
    asked = server.folder / "asked"
    command = ["openssl", "ocsp", "-issuer", server.ca, "-serial", f"0x{serial}", "-no_nonce"]
    subprocess.run([*command, "-reqout", asked], check=True, capture_output=True)
    return len(programs.fetch(f"{server.url}/ocsp", asked.read_bytes(), "application/ocsp-request"))
