"""The list of edges that may hold reservations: this edge is on it before it admits anything.

It decides where an edge's entry is. Billing waits for a marker of every edge on the list when Redis was lost, so an
edge takes itself off only when its spool is empty. It must not know what a spool is.
"""

import msgspec
import nats.js.errors
from nats.js import JetStreamContext

from oneapi.bus.subjects import BUCKET_STATE, STATE_EDGES


class Entry(msgspec.Struct, frozen=True):
    """An edge on the list."""

    edge_id: str
    epoch: str
    started_at_ms: int


async def register(js: JetStreamContext, entry: Entry) -> None:
    """Puts the edge on the list, unless it is there like this. Raises nats.errors.Error, TimeoutError."""
    bucket = await js.key_value(BUCKET_STATE)
    value = msgspec.json.encode(entry)
    try:
        known = await bucket.get(STATE_EDGES + entry.edge_id)
    except nats.js.errors.KeyNotFoundError:
        known = None
    if known is None or known.value != value:
        await bucket.put(STATE_EDGES + entry.edge_id, value)


async def deregister(js: JetStreamContext, edge_id: str) -> None:
    """Takes the edge off the list. Raises nats.errors.Error, TimeoutError."""
    bucket = await js.key_value(BUCKET_STATE)
    await bucket.delete(STATE_EDGES + edge_id)
