"""Figures: what was measured round by round, and the rows that follow from it."""

import math
import statistics
from collections import defaultdict
from dataclasses import dataclass


class Measurements:
    """Values by name, one for each round."""

    def __init__(self):
        self._values = defaultdict(list)

    def note(self, name: str, value: float) -> None:
        self._values[name].append(value)

    def note_load(self, name: str, report: dict) -> None:
        """What `lanyard bench` reports of a load."""
        self.note(f"{name} us", report["server"]["cpu_us_per_answer"])
        self.note(f"{name} rate", report["rate"])
        self.note(f"{name} p50", report["latency_ms"]["p50"])
        self.note(f"{name} p99", report["latency_ms"]["p99"])

    def note_keys(self, costs: dict) -> None:
        for name, us in costs.items():
            self.note(f"key {name}", us)

    def median(self, name: str) -> float:
        return statistics.median(self._values[name])

    def percentile(self, name: str, percent: float) -> float:
        """The least value that so many percent of all do not exceed."""
        values = sorted(self._values[name])
        return values[max(0, math.ceil(len(values) * percent / 100) - 1)]

    def count(self, name: str) -> int:
        return len(self._values[name])

    def of_load(self, name: str) -> str:
        """A load in words."""
        us, rate = self.median(f"{name} us"), self.median(f"{name} rate")
        p50, p99 = self.median(f"{name} p50"), self.median(f"{name} p99")
        return f"{us:.4g} us of CPU, {rate:,.0f}/s, p50 {p50:.3g} ms, p99 {p99:.3g} ms"

    def ratio(self, over: str, under: str) -> float:
        """The median of the rounds' ratios: both were measured moments apart in each."""
        pairs = zip(self._values[over], self._values[under], strict=True)
        # What took no time that the system counts is compared with nothing.
        return statistics.median(one / other if other else math.nan for one, other in pairs)

    def as_json(self) -> dict:
        return {
            name: {"median": statistics.median(values), "rounds": values}
            for name, values in sorted(self._values.items())
        }


@dataclass
class Row:
    """One line of the table: a ratio or a figure, and the target that it is held to."""

    name: str
    value: float
    unit: str = "%"
    least: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def target(self) -> str | None:
        if self.least is not None:
            return f">= {self.least:g} {self.unit}"
        return None if self.most is None else f"<= {self.most:g} {self.unit}"

    def met(self) -> bool:
        enough = self.least is None or self.value >= self.least
        return enough and (self.most is None or self.value <= self.most)

    def shown(self) -> str:
        digits = 2 if self.value < 10 else 1 if self.value < 1000 else 0
        return f"{self.value:,.{digits}f} {self.unit}"
