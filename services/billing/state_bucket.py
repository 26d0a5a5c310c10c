"""What billing reads of the `state` bucket: which edges are registered, and which accounts were ever opened.

It decides that they are read where they were written: an edge that is not on the list is not waited for, and an account
that is not on it is new. It must not know what follows from that.
"""

import asyncio

from nats.js import JetStreamContext

from oneapi.bus import leader_reading
from oneapi.bus.subjects import BUCKET_STATE, STATE_EDGES

OPENED = "opened."
_AT_ONCE = 50


async def opened_accounts(js: JetStreamContext) -> set[str]:
    """Their ids; such an entry is never deleted. Raises nats.errors.Error and TimeoutError."""
    found = await leader_reading.names(js, BUCKET_STATE, OPENED + ">")
    return {name.removeprefix(OPENED) for name in found}


async def registered_edges(js: JetStreamContext) -> set[str]:
    """Their ids, without those that took themselves off the list. Raises nats.errors.Error and TimeoutError."""
    names = sorted(await leader_reading.names(js, BUCKET_STATE, STATE_EDGES + ">"))
    found: set[str] = set()
    for start in range(0, len(names), _AT_ONCE):
        part = names[start : start + _AT_ONCE]
        values = await asyncio.gather(*[leader_reading.newest(js, BUCKET_STATE, name) for name in part])
        found |= {name.removeprefix(STATE_EDGES) for name, value in zip(part, values, strict=True) if value is not None}
    return found
