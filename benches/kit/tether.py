"""Certificates that follow users and devices, while these change, beside as many that follow nothing."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from . import programs
from .measure import Measurements, Row
from .parts import P256_RESPONDER, Part, ask, filled
from .programs import Lanyard
from .scale import Scale
from .tenant import Changes, Followed, Responder, Simulator, Watch

NAMES = {
    "lanyard_change_to_recorded_seconds": "recorded",
    "lanyard_change_to_revoked_answer_seconds": "answered",
}


@dataclass(frozen=True)
class Size:
    """How large the tenant is, and how long each load takes."""

    #: Users whose certificates are asked for; the tenant has as many devices.
    users: int
    #: Devices that have certificates too.
    devices: int
    #: How many of the users change a minute, of a hundred.
    percent: float
    #: How many of the devices are wiped a minute.
    wipes: float
    #: Seconds of a load of certificates that follow nothing, and of those that do: the latter is to see several
    #: rounds of changes, and facts that grow too old.
    still: float
    moving: float
    #: What the servers are told of the directory beside the defaults.
    settings: dict
    disabled_for: float = 90.0


SIZES = {
    Scale.FULL: Size(100_000, 1_000, 1, 60, 15, 60, {}),
    Scale.QUICK: Size(5_000, 500, 1, 30, 3, 30, {}),
    Scale.TINY: Size(
        200, 20, 120, 120, 0.5, 3, {"change_interval": "1s", "max_detection_delay": "2s"}, disabled_for=4
    ),
}


class Tether(Part):
    """OCSP for users' certificates in the mirror's care, from change to `revoked`, and devices that are looked up."""

    name = "tether"

    STILL, ROUNDS, TOLD = "static", "by rounds", "by notifications"
    LOADS = {"kept": (), "nonce": ("--nonce",)}

    def __init__(self, folder: Path, scale: Scale):
        super().__init__()
        self.size = size = SIZES[scale]
        self.round = 0
        self.simulator = self.started(Simulator(folder / "tenant", size.users))
        tenant = self.simulator.said["tenant_id"]
        users = self.simulator.ids("users", size.users)
        devices = self.simulator.ids("managedDevices", size.devices)
        self.objects = folder / "objects"
        lines = [f"EntraUser {tenant} {user}\n" for user in users]
        lines += [f"IntuneDevice {tenant} {device}\n" for device in devices]
        self.objects.write_text("".join(lines))

        self.still = self.started(filled(folder / "static", P256_RESPONDER, len(lines), 0))
        self.rounds = self.followed(folder / "rounds", size.settings)
        port = programs.free_port()
        url = f"http://127.0.0.1:{port}/notifications/measured"
        self.told = self.followed(folder / "told", size.settings | {"notification_url": url}, port)
        self.by_name = {self.STILL: self.still, self.ROUNDS: self.rounds, self.TOLD: self.told}

        serials = {name: self.split(server) for name, server in self.by_name.items()}
        assert serials[self.ROUNDS] == serials[self.TOLD], "the same certificates in both"
        pairs = zip(serials[self.ROUNDS], users + devices, strict=True)
        followed = [Followed(serial, one) for serial, one in pairs]
        self.users, self.devices = followed[: len(users)], followed[len(users) :]
        for server in (self.rounds, self.told):
            programs.lanyard_json("directory", "sync", "--wait", "--data", str(server.data))
            server.wait_until_idle()

    def followed(self, folder: Path, settings: dict, port: int = 0) -> Lanyard:
        """A server that follows the tenant, with a certificate for each of the objects."""
        section = self.simulator.section(settings)
        server = Lanyard(folder, P256_RESPONDER, section, port)
        server.stop()
        count = len(self.objects.read_text().splitlines())
        programs.fill(server.data, count, 0, folder / "serials", server.ca, self.objects)
        return self.started(Lanyard(folder, P256_RESPONDER, section, port))

    def split(self, server: Lanyard) -> list[str]:
        """Serial numbers, into files for users, some of them, and devices too."""
        every = (server.folder / "serials").read_text().split()
        users, devices = every[: self.size.users], every[self.size.users :]
        some = users[:: max(1, len(users) // 1_000)]
        for name, part in (("users", users), ("some", some), ("devices", devices)):
            (server.folder / name).write_text("\n".join(part))
        return every

    def measure(self, seen: Measurements) -> None:
        self.round += 1
        a_minute = self.size.users * self.size.percent / 100
        changes = Changes(
            self.simulator,
            self.users,
            a_minute,
            [self.watch(self.rounds), self.watch(self.told)],
            seed=self.round,
            watched_every=max(1, round(a_minute / 60)),
            disabled_for=self.size.disabled_for,
        )
        for thread in (*changes.watches, changes):
            thread.start()
        begun, cpu = time.monotonic(), self.rounds.cpu_seconds()
        for kind, flags in self.LOADS.items():
            self.remember(self.still)
            load = self.load(self.still, kind, self.size.still, flags)
            seen.note_load(f"{self.STILL} {kind}", load)
        # Nobody has asked it for anything but what is watched.
        minutes = (time.monotonic() - begun) / 60
        seen.note("following", (self.rounds.cpu_seconds() - cpu) / minutes)
        for name in (self.ROUNDS, self.TOLD):
            server = self.by_name[name]
            for kind, flags in self.LOADS.items():
                self.remember(server)
                before = histograms(server)
                seen.note_load(f"{name} {kind}", self.load(server, kind, self.size.moving, flags))
            # Of the last load, which asks for all: what nobody asks about waits for its first answer.
            for what, buckets in histograms(server).items():
                seen.note(f"{name}, {what} p99", quantile(before[what], buckets, 0.99))
        delays = changes.stop()
        for name, seconds in zip((self.ROUNDS, self.TOLD), delays, strict=True):
            for one in seconds:
                seen.note(f"{name}, change to revoked", one)
        self.measure_devices(seen)

    def remember(self, server: Lanyard) -> None:
        """Asks for every certificate once: what was read is remembered then, and every change was told."""
        ask(server, self.size.users, "--nonce", serials="users")

    def load(self, server: Lanyard, kind: str, seconds: float, flags: tuple[str, ...]) -> dict:
        return ask(server, float(seconds), *flags, serials="some" if kind == "kept" else "users")

    def measure_devices(self, seen: Measurements) -> None:
        """Devices, of which Intune tells no changes: some are wiped while all are asked for."""
        # Each is wiped once.
        share = self.size.devices // 10
        wiped, self.devices = self.devices[:share], self.devices[share:]
        watch = self.watch(self.rounds)
        watch.start()
        wipes = Wipes(self.simulator, wiped, self.size.wipes, watch)
        wipes.start()
        url = f"{self.rounds.url}/ocsp"
        how = ["--seconds", str(self.size.moving), "-c", "64", "--nonce"]
        what = ["--url", url, "--issuer", str(self.rounds.ca), "--pid", str(self.rounds.pid)]
        serials = ["--serials", str(self.rounds.folder / "devices")]
        report = programs.lanyard_json("bench", "ocsp", *what, *serials, *how)
        seen.note_load("devices", report)
        seen.note("devices failed", 100 * report["failed"] / (report["failed"] + report["good"]))
        for one in wipes.stop()[0]:
            seen.note("devices, change to revoked", one)

    def watch(self, server: Lanyard) -> Watch:
        example = self.users[0].serial
        return Watch(Responder(server.url, server.ca, example, server.folder))

    def rows(self, seen: Measurements) -> list[Row]:
        count = f"{self.size.users:,} tethered"
        rows = []
        for how in (self.ROUNDS, self.TOLD):
            for kind in self.LOADS:
                still, moving = f"{self.STILL} {kind}", f"{how} {kind}"
                by_rate = 100 * seen.ratio(f"{moving} rate", f"{still} rate")
                note = f"by rate {by_rate:.0f} %; {seen.of_load(moving)}"
                share = 100 * seen.ratio(f"{still} us", f"{moving} us")
                rows.append(Row(f"OCSP, {kind}, {count}, changes {how} : static", share, least=80, note=note))
        share = 100 * seen.ratio(f"{self.STILL} nonce us", "devices us")
        note = f"{seen.median('devices failed'):.2f} % not answered; {seen.of_load('devices')}"
        rows.append(Row(f"OCSP, nonce, {self.size.devices:,} devices looked up : static", share, note=note))
        note = f"{self.size.users * self.size.percent / 100:,.0f} changes a minute, nobody asking"
        rows.append(Row("Following the tenant, CPU a minute", seen.median("following"), "s", note=note))
        for what in (f"Disabled to revoked, {how}" for how in (self.ROUNDS, self.TOLD)):
            rows.append(self.delay(seen, what, what.partition(", ")[2]))
        rows.append(self.delay(seen, "Wiped to revoked, device looked up", "devices"))
        for how in (self.ROUNDS, self.TOLD):
            for short, what in (("recorded", "the record"), ("answered", "the first revoked answer")):
                name = f"Learnt to {what}, {how}, p99 at most"
                rows.append(Row(name, seen.median(f"{how}, {short} p99"), "s", note="by its own histogram"))
        return rows

    def delay(self, seen: Measurements, title: str, name: str) -> Row:
        delays = f"{name}, change to revoked"
        half, most = seen.percentile(delays, 50), seen.percentile(delays, 100)
        note = f"p50 {half:.2f} s, longest {most:.2f} s, of {seen.count(delays):,}"
        return Row(f"{title}, p99", seen.percentile(delays, 99), "s", note=note)


class Wipes(Changes):
    """Wipes devices, so many a minute, and watches each."""

    def __init__(self, simulator: Simulator, devices: list[Followed], a_minute: float, watch: Watch):
        super().__init__(simulator, devices, a_minute, [watch], seed=0, watched_every=1)

    def _change(self) -> None:
        begun = time.monotonic()
        for device in self.users:
            wait = begun + self.made * 60 / self.a_minute - time.monotonic()
            if self._over.wait(max(0.0, wait)):
                return
            self.simulator.control("POST", f"managedDevices/{device.object}/wipe")
            self.watches[0].changed(device.serial, time.monotonic())
            self.made += 1


def histograms(server: Lanyard) -> dict[str, dict[float, float]]:
    """The buckets of a server's own histograms, by name."""
    text = programs.fetch(f"{server.url}/metrics").decode()
    found = {}
    for name, short in NAMES.items():
        lines = re.findall(rf'^{name}_bucket{{le="([^"]+)"}} (\S+)$', text, re.MULTILINE)
        found[short] = {float(le): float(count) for le, count in lines}
    return found


def quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """The upper bound of the bucket in which so large a share of what came since has come."""
    added = {le: count - before.get(le, 0) for le, count in sorted(after.items())}
    every = max(added.values(), default=0)
    return next((le for le, count in added.items() if every and count >= share * every), 0.0)
