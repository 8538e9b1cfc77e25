"""Cases, the ledger of known deviations, and the report."""

import fnmatch
import time
import tomllib
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .process import Missing

RSA = ("rsa:2048", "rsa:4096")
EC = ("P-256", "P-384")
EVERY = RSA + EC
FOREIGN = ("apache_nginx", "certmonger", "gnutls", "nss", "openssl_ocsp", "scepclient", "strongswan")


@dataclass
class Case:
    """A sentence about a client, and for which CA keys it must be true."""

    name: str
    keys: tuple[str, ...]
    run: Callable
    # A foreign program plays the client, rather than one of ours.
    foreign: bool


CASES: list[Case] = []


def case(name: str, keys: tuple[str, ...] = EVERY, plain: bool = True):
    """Registers a function `(site, work)` that raises AssertionError when the sentence is false.

    `plain=False` is for what the plain CA does otherwise.
    """

    def register(function: Callable) -> Callable:
        module = function.__module__.rpartition(".")[2]
        CASES.append(Case(name, keys, function, plain and module in FOREIGN))
        return function

    return register


class Ledger:
    """Deviations that are known, each with its reason; one that is gone fails the run."""

    def __init__(self, path: Path):
        ledger = tomllib.loads(path.read_text())
        entries = ledger.get("deviation", [])
        self.entries = [(entry["case"], entry["says"], entry["reason"]) for entry in entries]
        self.findings = ledger.get("finding", [])
        self.met: set[str] = set()

    def reason(self, name: str, failure: str) -> str | None:
        """Why this failure is expected, if it is."""
        for pattern, says, reason in self.entries:
            if matches(name, pattern) and says in failure:
                self.met.add(pattern)
                return reason
        return None

    def expects(self, name: str) -> bool:
        return any(matches(name, pattern) for pattern, _, _ in self.entries)

    def unmet(self) -> list[str]:
        return [pattern for pattern, _, _ in self.entries if pattern not in self.met]


def matches(name: str, pattern: str) -> bool:
    """`*` and `?` as in a shell; brackets are those around the CA key."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


class Report:
    """Counts, prints each case as it ends, and the failures whole at the end."""

    def __init__(self, ledger: Ledger, unmet_findings: Callable[[], list[str]]):
        self.ledger = ledger
        self.unmet_findings = unmet_findings
        self.passed = 0
        self.failures: list[tuple[str, str]] = []

    def run(self, name: str, function: Callable, *arguments) -> bool:
        """Runs a case, and says whether it ended as it should."""
        start, failure = time.monotonic(), ""
        try:
            function(*arguments)
        except Missing as missing:
            failure = f"not installed: {missing}"
        except AssertionError as error:
            failure = str(error) or traceback.format_exc()
        except Exception:  # noqa: BLE001 - a broken case is a failed case, the others still run
            failure = traceback.format_exc()
        reason = self.ledger.reason(name, failure) if failure else None
        if not failure and self.ledger.expects(name):
            failure = "passes, though the ledger expects it to fail: take the entry out"
        took = f"{time.monotonic() - start:5.1f} s"
        if reason:
            print(f"known  {took}  {name}: {reason}", flush=True)
            self.passed += 1
        elif failure:
            print(f"FAILED {took}  {name}", flush=True)
            self.failures.append((name, failure))
        else:
            print(f"ok     {took}  {name}", flush=True)
            self.passed += 1
        return not failure or bool(reason)

    def close(self, whole: bool) -> int:
        """Prints the failures and the closing line; returns the exit status."""
        if not self.passed and not self.failures:
            self.failures.append(("nothing ran", "no case has such a name"))
        for pattern in [*self.ledger.unmet(), *self.unmet_findings()] if whole else []:
            self.failures.append((pattern, "stands in the ledger, but no case failed so"))
        for name, failure in self.failures:
            print(f"\n--- {name}\n{shortened(failure)}")
        print(f"\n{self.passed} passed, {len(self.failures)} failed")
        return 1 if self.failures else 0


def shortened(failure: str) -> str:
    """The head and the tail of a long failure; `--keep` leaves the rest to be read."""
    lines = failure.strip().splitlines()
    if len(lines) <= 60:
        return "\n".join(lines)
    return "\n".join([*lines[:20], f"… {len(lines) - 55} lines …", *lines[-35:]])
