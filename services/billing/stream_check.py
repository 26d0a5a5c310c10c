"""Compares the LEDGER stream with the ledger: nothing that was acknowledged may be missing.

It decides only what is missing, by reading every message that the stream still holds. It must not know why.
"""

from dataclasses import dataclass, field

import nats.js.errors
from clickhouse_connect.driver.asyncclient import AsyncClient
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from oneapi.bus.subjects import (
    CONSUMER_BILLING,
    CREDIT,
    DEAD_LETTER_SUBJECTS,
    HEADER_DEAD_SEQUENCE,
    LEDGER_SUBJECTS,
    STREAM_DEAD_LETTERS,
    STREAM_LEDGER,
)
from services.billing.events import LineKey, Unacceptable, credit_key, digest, read_credit, read_usage, usage_key
from services.billing.ledger import Ledger
from services.billing.stream_reading import batches


@dataclass(slots=True)
class StreamFindings:
    """Event ids and counts. `waiting` are messages that were not acknowledged yet, which is no fault."""

    events: int = 0
    put_aside: int = 0
    waiting: int = 0
    missing: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Event:
    """What the ledger should have."""

    event_id: str
    key: LineKey
    version: int
    sha: bytes
    sequence: int


async def compare_stream(client: AsyncClient, js: JetStreamContext) -> StreamFindings:
    """Every event up to the acknowledged end of the stream. Raises what the stores raise."""
    found = StreamFindings()
    last = (await js.stream_info(STREAM_LEDGER)).state.last_seq
    try:
        info = await js.consumer_info(STREAM_LEDGER, CONSUMER_BILLING)
        floor = info.ack_floor.stream_seq if info.ack_floor is not None else 0
    except nats.js.errors.NotFoundError:
        floor = 0
    found.waiting = max(last - floor, 0)
    missing: list[Event] = []
    ledger = Ledger(client)
    async for messages in batches(js, STREAM_LEDGER, LEDGER_SUBJECTS, 1, floor):
        events = [event for message in messages for event in _events(message)]
        present = await ledger.present({event.key for event in events})
        for event in events:
            line = present.get(event.key)
            if line is None or line.version < event.version:
                missing.append(event)
            elif line.shas.get(event.version, event.sha) != event.sha:
                found.conflicts.append(event.event_id)
        found.events += len(events)
    if missing:
        aside = await _put_aside(js)
        found.missing = [event.event_id for event in missing if event.sequence not in aside]
        found.put_aside = len(missing) - len(found.missing)
        found.events -= len(missing)
    return found


def _events(message: Msg) -> list[Event]:
    """The events of a message; one that can't be read was put aside whole."""
    sequence = message.metadata.sequence.stream
    try:
        if message.subject == CREDIT:
            credit = read_credit(message.data)
            return [Event(credit.event_id, credit_key(credit), 0, digest(credit), sequence)]
        batch = read_usage(message.data)
    except Unacceptable:
        return []
    return [Event(one.event_id, usage_key(one), one.version, digest(one), sequence) for one in batch.events]


async def _put_aside(js: JetStreamContext) -> set[int]:
    """Sequences of the messages that were put aside, or some of whose events were."""
    last = (await js.stream_info(STREAM_DEAD_LETTERS)).state.last_seq
    found: set[int] = set()
    async for messages in batches(js, STREAM_DEAD_LETTERS, DEAD_LETTER_SUBJECTS, 1, last):
        found.update(int((message.headers or {}).get(HEADER_DEAD_SEQUENCE, 0)) for message in messages)
    return found
