"""Tells admin the new hash of a key that was found under the hash of a previous pepper.

It decides how often one key is told of, and the form of what is told: two hashes and a proof, never a key. Whatever is
lost is told again at a later use. It must not know what admin does with it.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable

import nats.errors
from google.protobuf.message import DecodeError
from nats.aio.client import Client

from oneapi.bus.subjects import KEY_REHASH
from oneapi.runtime.relay_keys import KeyHasher
from oneapi.runtime.tasks import TaskSet
from proto.events.v1.events_pb2 import KeyRehash

AGAIN_S = 15.0
_REMEMBERED = 10_000
_HASH = re.compile(r"[0-9a-f]{64}")


class BadNotice(Exception):
    """Bytes that no holder of the current secret key has sent."""


class RehashNotices:
    """Sends notices, one for each key in 15 s."""

    def __init__(self, nc: Client, hasher: KeyHasher, clock: Callable[[], float] = time.monotonic) -> None:
        self._nc = nc
        self._hasher = hasher
        self._clock = clock
        self._told: OrderedDict[str, float] = OrderedDict()
        self._tasks = TaskSet()

    def tell(self, old_hash: str, new_hash: str) -> None:
        """Tells of this key, unless that was done a moment ago. Returns at once, and never fails."""
        now = self._clock()
        if self._told.get(old_hash, 0.0) > now:
            return
        self._told[old_hash] = now + AGAIN_S
        self._told.move_to_end(old_hash)
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        notice = KeyRehash(old_hash=old_hash, new_hash=new_hash, proof=self._hasher.proof(old_hash, new_hash))
        self._tasks.spawn(self._send(notice.SerializeToString()), "rehash notice")

    async def close(self) -> None:
        """Ends what is being sent."""
        await self._tasks.close()

    async def _send(self, data: bytes) -> None:
        try:
            await self._nc.publish(KEY_REHASH, data)
        except (OSError, nats.errors.Error):
            # A later use of the key tells again.
            return


def read_notice(data: bytes, hasher: KeyHasher) -> tuple[str, str]:
    """The old and the new hash. Raises BadNotice."""
    notice = KeyRehash()
    try:
        notice.ParseFromString(data)
    except DecodeError:
        raise BadNotice("not a notice") from None
    if not _HASH.fullmatch(notice.old_hash) or not _HASH.fullmatch(notice.new_hash):
        raise BadNotice("no hashes in it")
    if not hasher.proves(notice.old_hash, notice.new_hash, notice.proof):
        raise BadNotice("its sender has another secret key")
    return notice.old_hash, notice.new_hash
