"""What a row of the attack table is, and how one is run.

A row has an id, a title, payloads, and one check that is called for each of them. After its payloads the world's probes
are looked at: see `World.unharmed`. Rows are in `tests.security.rows`, one module for each kind.
"""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.security.world import World

Check = Callable[[World, Any], None]


@dataclasses.dataclass(frozen=True)
class Row:
    """One kind of attack. `check` raises AssertionError when the answer to a payload is not the expected one.

    `at_once` payloads are tried at a time: more than one where they don't meet each other.
    """

    id: str
    title: str
    check: Check
    payloads: Sequence[Any]
    at_once: int = 1


@dataclasses.dataclass(frozen=True)
class Absent:
    """An attack on something that the gateway doesn't have. `why` names what is missing."""

    id: str
    title: str
    why: str


def name_of(payload: object) -> str:
    return str(getattr(payload, "name", payload))[:120]


def run(world: World, row: Row) -> None:
    """Tries every payload of the row and tells all that went wrong, then looks whether the gateway is unharmed."""

    def complaint(payload: object) -> str:
        try:
            row.check(world, payload)
        except (AssertionError, LookupError, ValueError, OSError) as failure:
            return f"{name_of(payload)}: {failure!r:.600}"
        return ""

    with ThreadPoolExecutor(row.at_once) as tries:
        wrong = [said for said in tries.map(complaint, row.payloads) if said]
    assert not wrong, f"{row.id} ({row.title}): {len(wrong)} of {len(row.payloads)}\n" + "\n".join(wrong)
    world.unharmed()


def parameters(rows: Sequence[Row | Absent]) -> list[Any]:
    """The rows as pytest's parameters, each under its id."""
    return [pytest.param(row, id=row.id) for row in rows if isinstance(row, Row)]
