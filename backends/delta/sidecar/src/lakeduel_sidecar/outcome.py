"""What applying a batch did, summed over its commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    commits: int = 0
    inserted: int | None = 0
    updated: int | None = 0
    engine: Mapping[str, float] = field(default_factory=dict)
    """What else the engine told, in sums, with units in the names."""

    def plus(self, other: Outcome) -> Outcome:
        names = [*self.engine, *(name for name in other.engine if name not in self.engine)]
        return Outcome(
            self.commits + other.commits,
            add(self.inserted, other.inserted),
            add(self.updated, other.updated),
            {name: self.engine.get(name, 0) + other.engine.get(name, 0) for name in names},
        )


def add(left: int | None, right: int | None) -> int | None:
    """Unknown and known is unknown."""
    return None if left is None or right is None else left + right
