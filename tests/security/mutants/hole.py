"""What a planted hole is."""

import dataclasses

DOOR = "oneapi/runtime/door"


@dataclasses.dataclass(frozen=True)
class Change:
    """One replacement; `old` is there exactly once."""

    file: str
    old: str
    new: str


@dataclasses.dataclass(frozen=True)
class Hole:
    """A mechanism that is taken out. Each of `rows` must fail then."""

    name: str
    changes: tuple[Change, ...]
    rows: tuple[str, ...]


def hole(name: str, file: str, old: str, new: str, *rows: str) -> Hole:
    """The common one: a single replacement."""
    return Hole(name, (Change(file, old, new),), rows)
