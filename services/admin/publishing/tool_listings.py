"""What tool servers have, as mcp files it in the bucket `tools`.

It decides that what was known stays while NATS is away, and that a bucket which comes back is the whole truth: mcp
fills it again. It must not know which tools are offered, or at which price.
"""

import logging
from collections.abc import Sequence

from nats.js import JetStreamContext
from nats.js.kv import KV_DEL, KV_PURGE, KeyValue

from oneapi.bus.bucket_watch import BucketWatch
from oneapi.bus.subjects import BUCKET_TOOLS
from oneapi.catalog import listings
from oneapi.catalog.listings import BadListing, ServerTools

logger = logging.getLogger(__name__)

Update = tuple[str, ServerTools | None]
"""A server's id and its listing, None when it went."""


class ToolListings:
    """`known` is the same object until something changes."""

    def __init__(self) -> None:
        self.known: Sequence[ServerTools] = ()

    async def follow(self, js: JetStreamContext) -> None:
        """Keeps it up to date until it is cancelled."""
        await BucketWatch(js, BUCKET_TOOLS, _read, self._loaded, self._changed).run()

    def _loaded(self, updates: list[Update]) -> None:
        newest = dict(updates)
        self._take({server_id: listing for server_id, listing in newest.items() if listing is not None})

    def _changed(self, update: Update) -> None:
        server_id, listing = update
        now = {known.server_id: known for known in self.known if known.server_id != server_id}
        if listing is not None:
            now[server_id] = listing
        self._take(now)

    def _take(self, now: dict[str, ServerTools]) -> None:
        found = tuple(now[server_id] for server_id in sorted(now))
        if found != self.known:
            self.known = found


def _read(update: KeyValue.Entry) -> Update | None:
    if update.operation in {KV_DEL, KV_PURGE}:
        return update.key, None
    try:
        listing = listings.decode(update.value or b"")
    except BadListing as failure:
        logger.error("a list of tools is skipped", extra={"fields": {"server": update.key, "why": str(failure)}})
        return None
    return (update.key, listing) if listing.server_id == update.key else None
