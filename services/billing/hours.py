"""Which hours of the hourly tables can be used, and which must be read from the ledger itself.

It decides the one rule that keeps reports equal to the ledger: an hour is taken from the hourly tables only when it is
before `edge` and not dirty. The only writer marks an hour dirty before it appends to it, and clean after it has
computed it without an append in between. Pure, but for reading the marks. It must not know what is summed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from clickhouse_connect.driver.asyncclient import AsyncClient

HOUR_S = 3_600

_MARKS = "SELECT toUnixTimestamp(hour), clean, version FROM rollup_hours FINAL"
_RULE = f"""
SELECT if(countIf(clean) = 0, 0, maxIf(toUnixTimestamp(hour), clean) + {HOUR_S}),
    groupArrayIf(toUnixTimestamp(hour), NOT clean)
FROM rollup_hours FINAL
"""  # noqa: S608 - the inserted parts are constants


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours as seconds since 1970. Before `edge` everything is in the hourly tables, except the `dirty` hours."""

    edge: int = 0
    dirty: frozenset[int] = frozenset()

    def rolled(self, hour: int) -> bool:
        """Whether the hourly tables hold this hour as it is in the ledger."""
        return hour < self.edge and hour not in self.dirty

    def parameters(self) -> dict[str, object]:
        """Query parameters for ROLLED and LIVE."""
        return {"edge": self.edge, "dirty": sorted(self.dirty)}


ROLLED = "toUnixTimestamp(hour) < {edge:UInt32} AND toUnixTimestamp(hour) NOT IN {dirty:Array(UInt32)}"
"""Rows of an hourly table that can be used."""
LIVE = (
    "(reserved_at >= toDateTime64({edge:UInt32}, 3, 'UTC')"
    " OR toUnixTimestamp(toStartOfHour(reserved_at)) IN {dirty:Array(UInt32)})"
)
"""Rows of the ledger that stand for all other hours."""


@dataclass(slots=True)
class Marks:
    """What the writer knows of every hour: the marks that are stored, and what it appended since.

    `touches` counts appends, so that a computation can tell whether one came in between. `unsure` are hours of an
    append that failed and may still take effect: they are left alone until it has been repeated.
    """

    clean: set[int] = field(default_factory=set)
    dirty: set[int] = field(default_factory=set)
    touches: dict[int, int] = field(default_factory=dict)
    unsure: set[int] = field(default_factory=set)
    version: int = 0

    @property
    def hours(self) -> Hours:
        """The rule as it stands."""
        return Hours(max(self.clean) + HOUR_S if self.clean else 0, frozenset(self.dirty))

    def to_mark(self, hours: Iterable[int]) -> list[int]:
        """Those of these hours that must be marked dirty before something is appended to them."""
        edge = self.hours.edge
        return sorted(hour for hour in set(hours) if hour < edge and hour not in self.dirty)

    def marked(self, hours: Iterable[int]) -> None:
        """They have been marked dirty."""
        for hour in hours:
            self.clean.discard(hour)
            self.dirty.add(hour)

    def touched(self, hours: Iterable[int]) -> None:
        """Something has been, or may have been, appended to them."""
        for hour in hours:
            self.touches[hour] = self.touches.get(hour, 0) + 1

    def due(self, before: int) -> list[int]:
        """Hours that ended before `before` and whose sums must be computed, oldest first."""
        waiting = (self.dirty | set(self.touches)) - self.unsure
        return sorted(hour for hour in waiting if hour + HOUR_S <= before)

    def computed(self, hours: Mapping[int, int]) -> tuple[list[int], list[int]]:
        """Which hours to mark clean and dirty after a computation; `hours` has the touches as they were before it.

        An older hour that is not clean yet would fall behind the edge, so it is marked dirty at the same time.
        """
        clean = [
            hour for hour, before in hours.items() if self.touches.get(hour, 0) == before and hour not in self.unsure
        ]
        if not clean:
            return [], []
        edge = max(self.hours.edge, max(clean) + HOUR_S)
        behind = {hour for hour in self.touches if hour < edge} - set(clean) - self.dirty
        return sorted(clean), sorted(behind)

    def settle(self, clean: Iterable[int], dirty: Iterable[int]) -> None:
        """These marks have been stored."""
        for hour in clean:
            self.clean.add(hour)
            self.dirty.discard(hour)
            self.touches.pop(hour, None)
        self.marked(dirty)


async def read_marks(client: AsyncClient) -> Marks:
    """The marks as stored."""
    marks = Marks()
    for hour, clean, version in (await client.query(_MARKS)).result_rows:
        (marks.clean if clean else marks.dirty).add(int(hour))
        marks.version = max(marks.version, int(version))
    return marks


async def read_hours(client: AsyncClient) -> Hours:
    """The rule as the stored marks have it, for whoever is not the writer."""
    ((edge, dirty),) = (await client.query(_RULE)).result_rows
    return Hours(int(edge), frozenset(int(hour) for hour in dirty))
