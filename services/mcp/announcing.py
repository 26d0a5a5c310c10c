"""Files what each tool server has in the bucket `tools`, for those who tell others what the gateway offers.

It decides when an entry is written: when the bucket holds something else, so that many gateways that were told the same
write once. An entry goes with its server. Without NATS nothing here fails: it is tried again at the next listing. It
must not know who reads it, or which tools are offered.
"""

import asyncio
import logging
from collections.abc import Callable, Collection

import msgspec
import nats.errors
import nats.js.errors
from mcp_types import Tool
from nats.js import JetStreamContext
from nats.js.kv import KeyValue

from oneapi.bus.bucket_reader import contents
from oneapi.bus.subjects import BUCKET_TOOLS
from oneapi.catalog import listings
from oneapi.catalog.listings import BadListing, ListedTool, ServerTools
from oneapi.runtime.tasks import TaskSet

logger = logging.getLogger(__name__)

_FAILURES = (OSError, TimeoutError, nats.errors.Error)


class Announcer:
    """Takes note at once and writes later. `clock` is Unix time in milliseconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._wanted: dict[str, tuple[ListedTool, ...] | None] = {}
        self._heard: set[str] = set()
        """Who said something since the start: configured later, perhaps, than what the tidying goes by."""
        self._noted = asyncio.Event()
        self._tasks = TaskSet()

    def start(self, js: JetStreamContext, configured: Collection[str]) -> None:
        """Begins to write. Entries of other servers than the configured ones are left from before, and go."""
        self._tasks.spawn(self._tidy(js, frozenset(configured)), "old tools on the bus")
        self._tasks.spawn_forever(lambda: self._run(js), "tools on the bus")

    async def close(self) -> None:
        """Ends it; what was not written is written by the next listing."""
        await self._tasks.close()

    def has(self, server_id: str, tools: tuple[Tool, ...]) -> None:
        """The server said that it has these."""
        self._heard.add(server_id)
        self._wanted[server_id] = listings.bounded(_listed(tool) for tool in tools)
        if len(self._wanted[server_id] or ()) < len(tools):
            fields = {"server": server_id, "tools": len(tools)}
            logger.warning("a server has more or longer tools than are told to others", extra={"fields": fields})
        self._noted.set()

    def gone(self, server_id: str) -> None:
        """The server isn't configured any more."""
        self._wanted[server_id] = None
        self._noted.set()

    async def _tidy(self, js: JetStreamContext, configured: frozenset[str]) -> None:
        try:
            bucket = await js.key_value(BUCKET_TOOLS)
            for entry in await contents(bucket, values=False):
                if entry.key not in configured and entry.key not in self._heard:
                    self.gone(entry.key)
        except _FAILURES as failure:
            logger.info("old tools stay on the bus", extra={"fields": {"why": type(failure).__name__}})

    async def _run(self, js: JetStreamContext) -> None:
        while True:
            await self._noted.wait()
            self._noted.clear()
            wanted, self._wanted = self._wanted, {}
            try:
                bucket = await js.key_value(BUCKET_TOOLS)
                while wanted:
                    server_id, tools = next(iter(wanted.items()))
                    await self._write(bucket, server_id, tools)
                    del wanted[server_id]
            except _FAILURES as failure:
                # What was noted meanwhile is newer.
                self._wanted = wanted | self._wanted
                fields = {"why": type(failure).__name__, "servers": len(wanted)}
                logger.warning("tools can't be told to others yet", extra={"fields": fields})

    async def _write(self, bucket: KeyValue, server_id: str, tools: tuple[ListedTool, ...] | None) -> None:
        try:
            there = listings.decode((await bucket.get(server_id)).value or b"")
        except nats.js.errors.KeyNotFoundError:
            there = None
        except BadListing:
            there = ServerTools(server_id="", listed_at_ms=0, tools=())
        if tools is None:
            if there is not None:
                await bucket.delete(server_id)
        elif there is None or (there.server_id, there.tools) != (server_id, tools):
            listing = ServerTools(server_id=server_id, listed_at_ms=self._clock(), tools=tools)
            await bucket.put(server_id, listings.encode(listing))


def _listed(tool: Tool) -> ListedTool:
    return ListedTool(
        name=tool.name,
        title=tool.title or "",
        description=tool.description or "",
        input_schema=msgspec.json.encode(tool.input_schema).decode(),
    )
