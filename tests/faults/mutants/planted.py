"""The bugs: what is changed in a copy of the project, which faults reveal it, and which invariants are then broken."""

import dataclasses
from collections.abc import Callable, Mapping

from tests.faults import scenarios
from tests.faults.stage import Stage

SHORT_LEASES = {
    "FAULTS_SET": "services.edge.inference.admission:LEASE_MARGIN_S=1.0 services.edge.upstream.target:TOTAL_S=3.0"
    " services.billing.reaper:PENDING_GRACE_MS=1000"
}


@dataclasses.dataclass(frozen=True)
class Change:
    """One replacement; `old` is there exactly once."""

    file: str
    old: str
    new: str


@dataclasses.dataclass(frozen=True)
class Mutant:
    """`expected` are invariants of which at least one must be complained of; empty when nothing can be seen, for the
    reason in `why`."""

    name: str
    changes: tuple[Change, ...]
    faults: Callable[[Stage], None]
    expected: frozenset[str]
    injected: Mapping[str, str] = dataclasses.field(default_factory=dict)
    why: str = ""


INTAKE, SHIPPER, DESK = "services/billing/intake.py", "services/edge/money/shipper.py", "services/edge/money/desk.py"
LUA, OPENING, PATH = "oneapi/runtime/money_functions.lua", "services/billing/opening.py", "services/edge/money/path.py"
BOOKS, LEDGER_SQL, SCHEMA = "services/billing/books.py", "services/billing/migrations/", "services/billing/schema.py"

MUTANTS = [
    Mutant(
        "acknowledgement before the insert",
        (
            Change(
                INTAKE,
                "        await self._book(rows, markers, trace)\n        self._trace = None\n",
                "        for message in messages:\n"
                "            await message.ack()\n"
                "        await self._book(rows, markers, trace)\n"
                "        self._trace = None\n",
            ),
        ),
        scenarios.writers_killed_before_the_insert,
        frozenset({"I3", "I2"}),
    ),
    Mutant(
        "cursor before the acknowledgement of the bus",
        (
            Change(
                SHIPPER,
                "self._spool.move(shipped=batch.first, pending=batch.end, floor=self._floor())\n            identity",
                "self._spool.move(shipped=batch.end, pending=batch.end, floor=self._floor())\n            identity",
            ),
        ),
        scenarios.edges_killed_while_the_bus_is_down,
        frozenset({"I3", "I9"}),
    ),
    Mutant(
        "a plain MergeTree",
        (
            Change(f"{LEDGER_SQL}0001_ledger.sql", "${engine}ReplacingMergeTree(version)", "${engine}MergeTree"),
            Change(f"{LEDGER_SQL}0001_ledger.sql", "SELECT * FROM ledger FINAL", "SELECT * FROM ledger"),
            Change(SCHEMA, '"ledger": Shape("ReplacingMergeTree"', '"ledger": Shape("MergeTree"'),
        ),
        scenarios.edge_wakes_after_its_lease,
        frozenset({"I4"}),
        SHORT_LEASES,
    ),
    Mutant(
        "sums are incremented",
        (
            Change(
                BOOKS,
                "            closing = _requests(rows)\n",
                "            closing = _requests(rows)\n"
                "            for account, found in sums.items():\n"
                "                state = await self.money.balances(account, list(found.scopes))\n"
                "                mine = [row for row in rows if row.account_id == account and row.line == LINE_MAIN]\n"
                "                found.charged = state.account.posted + sum(row.amount_nano for row in mine)\n",
            ),
        ),
        scenarios.duplicates,
        frozenset({"I2"}),
    ),
    Mutant(
        "no recovery of the spool",
        (
            Change(
                PATH, "        left_open = len(self._stories)\n", "        left_open = 0\n        self._stories = {}\n"
            ),
        ),
        scenarios.edges_killed_while_the_bus_is_down,
        frozenset({"I3", "I8"}),
    ),
    Mutant(
        "checked and not reserved",
        (Change(LUA, "  add(keys[1], 'reserved', scopes, amount)\n  write_reservation", "  write_reservation"),),
        lambda stage: scenarios.exactly_n(stage, count_them=False),
        frozenset({"I1", "I1'"}),
    ),
    Mutant(
        "no barrier",
        (Change(OPENING, "return set(edges) - self.markers.keys()", "return set()"),),
        scenarios.flush_near_limit,
        frozenset({"I1'"}),
    ),
    Mutant(
        "settled before the terminal record",
        (
            Change(
                DESK,
                "        kind = records.FINAL_TRACED if sampled(tent.traceparent) else records.FINAL\n",
                "        kind = records.FINAL_TRACED if sampled(tent.traceparent) else records.FINAL\n"
                "        early = settlement.total_tokens(ending.usage)\n"
                "        self._settle(tent.account_id, tent.key_id, tent.request_id, charged.amount_nano, early)\n",
            ),
            Change(
                DESK,
                "        tokens = settlement.total_tokens(ending.usage)\n"
                "        self._settle(tent.account_id, tent.key_id, tent.request_id, charged.amount_nano, tokens)\n",
                "",
            ),
        ),
        scenarios.edges_killed_while_the_bus_is_down,
        frozenset(),
        why="equivalent: what is sent to Redis leaves at the end of the loop's turn, after a flush of the spool, and by"
        " then the terminal record is in it",
    ),
    Mutant(
        "no check of the epoch",
        (
            Change(
                LUA,
                "  if not state[1] then\n    return join('uninit', text(now_ms), state[2] or '')\n  end\n  local known",
                "  local known",
            ),
        ),
        scenarios.flush_near_limit,
        frozenset({"I1'"}),
    ),
    Mutant(
        "reserving twice counts twice",
        (
            Change(
                LUA,
                "  if known[1] then\n    local fields = {at_ms",
                "  if false then\n    local fields = {at_ms",
            ),
        ),
        lambda stage: scenarios.lost_replies(stage, "reserve"),
        frozenset({"I2"}),
    ),
    Mutant(
        "a hold is charged nothing",
        (Change("services/billing/reaper.py", "        amount_nano=amount,\n", "        amount_nano=0,\n"),),
        scenarios.edge_wakes_after_its_lease,
        frozenset(),
        SHORT_LEASES,
        why="the final replaces the hold; only a spool that is lost for ever would show it",
    ),
]
