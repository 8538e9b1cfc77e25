"""How large a run is."""

from enum import StrEnum


class Scale(StrEnum):
    """What docs/performance.md speaks of; less of it; and the least that shows that everything still works."""

    FULL = "full"
    QUICK = "quick"
    TINY = "tiny"

    @property
    def is_short(self) -> bool:
        return self is not Scale.FULL
