"""Gathers what there is to be judged: clients, upstream, spools, Redis, stream and ledger.

The records are made by different processes, and none of them is one of the gateway's own counters.
"""

import asyncio
import contextlib
import dataclasses
import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import redis
from google.protobuf.message import DecodeError

from proto.events.v1.events_pb2 import UsageBatch
from services.edge.money import records, segments
from tests.faults.cluster import Cluster

SAMPLE_S = 0.02


@dataclasses.dataclass(frozen=True)
class Row:
    """One request's line in the ledger."""

    request_id: str
    marker: str
    key_id: str
    amount: int
    house: int
    usage: Mapping[str, int]
    evidence: str
    outcome: str
    reserved: int
    account_id: str = ""


@dataclasses.dataclass(frozen=True)
class Spooled:
    """Ids that the spools of all edges hold: begun, granted, and ended with what was promised to be shipped."""

    begun: frozenset[str] = frozenset()
    granted: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()


@dataclasses.dataclass
class Limits:
    """nano-USD: budgets by key id, credits by account, `rates` by bucket and token."""

    budgets: dict[str, int]
    credits: dict[str, int]
    rates: dict[str, int]


@dataclasses.dataclass
class Evidence:
    """Everything but the clients' own records.

    `sums` are credited and charged by account, as the ledger has them, `counters` what Redis holds of the account,
    `held` its open reservations. `samples` counts the looks at Redis, `excesses` are limits that were seen broken.
    `shipped` are the ids that the stream has seen; None when the stream wasn't read.
    """

    rows: list[Row] = dataclasses.field(default_factory=list)
    duplicates: int = 0
    sums: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)
    counters: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    held: dict[str, int] = dataclasses.field(default_factory=dict)
    spooled: Spooled = dataclasses.field(default_factory=Spooled)
    shipped: frozenset[str] | None = None
    served: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    samples: int = 0
    excesses: list[str] = dataclasses.field(default_factory=list)
    unsettled: list[str] = dataclasses.field(default_factory=list)
    """What the system had not done when the time to become quiet was over."""
    proof: str = ""
    """What `oneapi ledger verify` complains of; "" when it is satisfied."""


def gather(cluster: Cluster, upstream_record: Path, watch: "Watch", unsettled: list[str]) -> Evidence:
    """Everything, as it is now."""
    rows = [
        Row(r[0], r[1], r[2], int(r[3]), int(r[4]), {k: int(v) for k, v in r[5].items()}, r[6], r[7], int(r[8]), r[9])
        for r in cluster.ledger(
            "SELECT request_id, client_request_id, key_id, amount_nano, house_nano, usage, evidence, outcome,"
            " reserved_nano, account_id FROM ledger_v WHERE line = 'main'"
        )
    ]
    double = cluster.ledger("SELECT count() - uniqExact(account_id, request_id, line) FROM ledger_v")
    sums = cluster.ledger(
        "SELECT account_id, sumIf(amount_nano, line != 'main'), sumIf(amount_nano, line = 'main') FROM ledger_v"
        " GROUP BY account_id"
    )
    client = cluster.redis()
    accounts = [str(row[0]) for row in sums]
    proof = cluster.verify()
    return Evidence(
        rows=rows,
        duplicates=int(double[0][0]),
        sums={str(row[0]): (int(row[1]), int(row[2])) for row in sums},
        counters={account: texts(client.hgetall(f"b:{{{account}}}")) for account in accounts},
        held={account: int(client.zcard(f"z:{{{account}}}")) for account in accounts},
        spooled=read_spools([cluster.folder / name / "spool" for name in cluster.edges]),
        shipped=asyncio.run(shipped(cluster)),
        served=[json.loads(line) for line in upstream_record.read_text().splitlines()],
        samples=watch.samples,
        excesses=list(watch.excesses),
        unsettled=unsettled,
        proof="" if proof.returncode == 0 else f"{proof.stdout[-600:]}{proof.stderr[-300:]}",
    )


def read_spools(folders: list[Path]) -> Spooled:
    """What the segments on disk say."""
    begun, granted, ended = set(), set(), set()
    for folder in folders:
        names: dict[int, str] = {}
        for base in segments.bases(folder):
            data = (folder / segments.file_name(base)).read_bytes()
            for record in segments.records(data, 0, base):
                if record.kind == records.TENT:
                    names[record.offset] = records.decode_tent(record.payload).request_id
                    begun.add(names[record.offset])
                elif record.kind == records.OPEN:
                    granted.add(names[records.ticket_of(record.payload)])
                elif record.kind in {records.FINAL, records.FINAL_TRACED}:
                    ended.add(names[records.ticket_of(record.payload)])
    return Spooled(frozenset(begun), frozenset(granted), frozenset(ended))


async def shipped(cluster: Cluster) -> frozenset[str]:
    """Requests of which the stream has the end, read message by message."""
    found: set[str] = set()
    async with cluster.jetstream() as js:
        subscription = await js.subscribe("ledger.usage.v1", ordered_consumer=True)
        last = (await js.stream_info("LEDGER")).state.last_seq
        sequence = 0
        while sequence < last:
            try:
                message = await subscription.next_msg(timeout=2)
            except TimeoutError:
                break  # the rest has other subjects
            sequence = message.metadata.sequence.stream
            with contextlib.suppress(DecodeError):  # put there by a test
                found.update(event.request_id for event in UsageBatch.FromString(message.data).events)
    return frozenset(found)


class Watch:
    """Looks at Redis again and again: whatever happens, no limit may be exceeded at any instant."""

    def __init__(self, cluster: Cluster, limits: Limits) -> None:
        self._cluster = cluster
        self._limits = limits
        self._stop = threading.Event()
        self.samples = 0
        self.excesses: list[str] = []
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        client = self._cluster.redis()
        while not self._stop.wait(SAMPLE_S):
            for account, credit in list(self._limits.credits.items()):
                try:
                    state = client.hgetall(f"b:{{{account}}}")
                except (redis.RedisError, OSError):
                    continue
                if "epoch" in state:
                    self.samples += 1
                    for excess in excesses(texts(state), credit, self._limits.budgets):
                        self.excesses.append(f"{time.strftime('%H:%M:%S')} {account}: {excess}")


def excesses(state: dict[str, str], credit: int, budgets: Mapping[str, int]) -> list[str]:
    """Limits that an account's counters break at one instant; a credit of 0 is an unlimited account's."""

    def committed(suffix: str) -> int:
        return sum(int(state.get(part + suffix, 0)) for part in ("posted", "unposted", "reserved"))

    found = [f"{name} is {value}" for name, value in state.items() if _counts(name) and int(value) < 0]
    if credit and committed("") > credit:
        found.append(f"{committed('')} of a credit of {credit}")
    for key, budget in budgets.items():
        if committed(f":key:{key}:total") > budget:
            found.append(f"{committed(f':key:{key}:total')} of a budget of {budget} for {key}")
    return found


def texts(state: Mapping[Any, Any]) -> dict[str, str]:
    """A hash of Redis as its client gives it, whose types allow for bytes."""
    return {str(name): str(value) for name, value in state.items()}


def _counts(name: str) -> bool:
    return name.startswith(("posted", "unposted", "reserved"))
