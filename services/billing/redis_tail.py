"""Notices that Redis has lost the tail of its state: a replica took over, or an old copy was restored.

It decides when what Redis holds may be older than what was acknowledged. An account that is missing altogether is
noticed by whoever looks for it. Redis is marked now and then, and the mark is kept on the bus as well: a server that is
another one than before must still have it, and must not have been a replica, which may have been behind.
"""

import logging
from typing import Any

import msgspec
from nats.js import JetStreamContext
from nats.js.kv import KeyValue
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from oneapi.bus.leader_reading import newest
from oneapi.bus.subjects import BUCKET_STATE

logger = logging.getLogger(__name__)

MARK_KEY = "oneapi:billing:mark"
_ENTRY = "billing.redis"
_NEVER_A_REPLICA = -1


class Seen(msgspec.Struct, frozen=True):
    """The server that was marked last, and its mark."""

    run_id: str
    mark: int


class RedisTail:
    """Call `lost()` about once a second. Raises what redis-py and nats raise."""

    def __init__(self, redis: Redis, js: JetStreamContext, bucket: KeyValue) -> None:
        self._redis = redis
        self._js = js
        self._bucket = bucket
        self._seen: Seen | None = None
        self._blind = False

    async def lost(self) -> bool:
        """Whether Redis may have gone back in time since the last call, also by another process before this one.

        Answers True until `accepted` is called, so that nothing is forgotten when what follows from it fails.
        """
        if self._blind:
            return False
        before = self._seen or await self._read()
        try:
            info: dict[str, Any] = await self._redis.info()
        except ResponseError as refusal:
            self._blind = True
            logger.warning("Redis doesn't let us ask who it is: a failover will not be noticed: %s", refusal)
            return False
        run_id = str(info["run_id"])
        if before is not None and run_id != before.run_id:
            mark = int(await self._redis.get(MARK_KEY) or 0)
            was_replica = int(info.get("second_repl_offset", _NEVER_A_REPLICA)) != _NEVER_A_REPLICA
            # An empty server has no accounts: they are missed one by one, and those that are new open at once.
            if was_replica or 0 < mark < before.mark:
                return True
        await self._mark(Seen(run_id, (before.mark if before else 0) + 1))
        return False

    async def accepted(self) -> None:
        """Everything that followed from the loss has been begun."""
        before = self._seen or await self._read()
        info: dict[str, Any] = await self._redis.info()
        await self._mark(Seen(str(info["run_id"]), (before.mark if before else 0) + 1))

    async def _mark(self, seen: Seen) -> None:
        # Redis first: a mark on the bus that Redis never had would look like a loss.
        await self._redis.set(MARK_KEY, seen.mark)
        await self._bucket.put(_ENTRY, msgspec.json.encode(seen))
        self._seen = seen

    async def _read(self) -> Seen | None:
        value = await newest(self._js, BUCKET_STATE, _ENTRY)
        return None if value is None else msgspec.json.decode(value, type=Seen)
