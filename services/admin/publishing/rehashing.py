"""Files relay keys anew that are used under the hash of a previous pepper, as edges and mcp tell.

Decides that only a holder of the current secret key is listened to, that a key's new entry is published before its old
one is withdrawn, and how much may wait. What is dropped is told again at a later use. It must not know keys.
"""

import asyncio
import logging
from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError

from oneapi.bus.subjects import KEY_REHASH
from oneapi.catalog.rehash import BadNotice, read_notice
from oneapi.runtime.relay_keys import KeyHasher
from services.admin.publishing.keys import publish_key
from services.admin.store.changes import Author, Change
from services.admin.store.credentials import set_hash
from services.admin.store.database import Database
from services.admin.store.schema import Key

logger = logging.getLogger(__name__)

AUTHOR = Author(id="rehash", kind="system", name="change of the secret key")
QUEUE = "admin"
WAITING = 1_000
BATCH = 100


class Rehashing:
    """One replica gets each notice."""

    def __init__(self, nc: Client, database: Database, hasher: KeyHasher, wake: Callable[[], None]) -> None:
        self._nc = nc
        self._database = database
        self._hasher = hasher
        self._wake = wake
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue(WAITING)

    async def run(self) -> None:
        """Until cancelled."""
        subscription = await self._nc.subscribe(KEY_REHASH, queue=QUEUE, cb=self._on_message)
        try:
            while True:
                notices = {await self._waiting.get()}
                while len(notices) < BATCH and not self._waiting.empty():
                    notices.add(self._waiting.get_nowait())
                try:
                    await self.apply(sorted(notices))
                except (SQLAlchemyError, OSError) as failure:
                    logger.warning("keys keep their old hashes", extra={"fields": {"why": type(failure).__name__}})
        finally:
            if not self._nc.is_closed:
                await subscription.unsubscribe()

    async def apply(self, notices: list[tuple[str, str]]) -> int:
        """Files these keys anew; how many there were. A second time changes nothing."""
        filed = 0
        async with self._database.writing() as session:
            change = await Change.begin(session, AUTHOR)
            for old_hash, new_hash in notices:
                row = await session.scalar(select(Key).where(or_(Key.hash == old_hash, Key.previous_hash == old_hash)))
                if row is None:
                    continue
                set_hash(row, old_hash, new_hash, self._hasher.version)
                await publish_key(change, row)
                await change.publish("key", old_hash, None)
                await session.flush()
                filed += 1
        if filed:
            self._wake()
        return filed

    async def _on_message(self, message: Msg) -> None:
        try:
            notice = read_notice(message.data, self._hasher)
        except BadNotice as problem:
            logger.warning("a notice about a key is ignored", extra={"fields": {"why": str(problem)}})
            return
        if not self._waiting.full():
            self._waiting.put_nowait(notice)
