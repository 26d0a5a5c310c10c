"""Finds a relay key's record, from a bounded cache or from the bucket `keys`.

It decides how long an answer may be used, how a change reaches this process at once, and that a key nobody made costs
what any other bad key costs, and asks nobody. It must not know what the key is used for.
"""

import asyncio
import contextlib
import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.kv import KV_DEL, KV_OP, KV_PURGE

from oneapi.bus.subjects import BUCKET_KEYS, bucket_stream, bucket_subject
from oneapi.catalog.entries import BadEntry, decode
from oneapi.catalog.key_census import VERIFY_S, KeyCensus
from oneapi.catalog.rehash import RehashNotices
from oneapi.catalog.types import RelayKey
from oneapi.runtime.relay_keys import KeyHasher, well_formed
from oneapi.runtime.tasks import TaskSet

logger = logging.getLogger(__name__)

CAPACITY = 50_000
NEGATIVE_CAPACITY = 10_000
POSITIVE_TTL_S = 30.0
NEGATIVE_TTL_S = 5.0
READ_LIMIT_S = 0.5
_STALE_S = 1.0
_RECENT = 4_096
_SUBJECT_PREFIX = bucket_subject(BUCKET_KEYS, "")


class KeyringUnavailable(Exception):
    """The bucket can't be asked, and nothing about this key is cached."""


class _Held:
    """One answer: the record or None, its revision, and until when and in which era it is fresh."""

    __slots__ = ("era", "key", "revision", "until")

    def __init__(self, key: RelayKey | None, revision: int, until: float, era: int) -> None:
        self.key = key
        self.revision = revision
        self.until = until
        self.era = era


class Keyring:
    """Relay keys by their text. `await start()` before the first lookup, so that changes arrive at once.

    A change reaches every process by the bucket's own subject in milliseconds; the lives of answers (30 s, 5 s where
    the bucket had no entry) only bound what a lost message could do. When the bucket can't be asked, a record that is
    held is used on. An era ends with each reconnect and each message that is found to be lost: every answer is then
    read again.

    While the census is complete, a digest that it doesn't have is an unknown key, and no question is asked. Whatever
    is presented is hashed with each pepper and looked up in the same tables, so that no kind of bad key can be told
    from another by what it costs.
    """

    def __init__(
        self,
        js: JetStreamContext,
        hasher: KeyHasher,
        *,
        capacity: int = CAPACITY,
        positive_ttl_s: float = POSITIVE_TTL_S,
        negative_ttl_s: float = NEGATIVE_TTL_S,
        read_limit_s: float = READ_LIMIT_S,
        verify_s: float = VERIFY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._js = js
        self._nc = js._nc
        self._hasher = hasher
        self._capacity = capacity
        self._positive_ttl_s = positive_ttl_s
        self._negative_ttl_s = negative_ttl_s
        self._read_limit_s = read_limit_s
        self._clock = clock
        self._known: OrderedDict[str, _Held] = OrderedDict()
        # Apart, so that guessing keys can't push out good ones.
        self._unknown: OrderedDict[str, _Held] = OrderedDict()
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._reads: dict[str, asyncio.Task[_Held | KeyringUnavailable]] = {}
        self._tidied = 0
        self._losses = 0
        self._census = KeyCensus(js, self._lost, verify_s=verify_s, clock=clock)
        self._notices = RehashNotices(self._nc, hasher)
        self._tasks = TaskSet()
        self._subscription: Subscription | None = None

    @property
    def complete(self) -> bool:
        """Whether unknown keys are known to be unknown."""
        return self._census.complete

    async def start(self) -> None:
        """Listens for changes, and begins to list the entries. Raises nats.errors.Error on a closed connection."""
        self._subscription = await self._nc.subscribe(bucket_subject(BUCKET_KEYS, ">"), cb=self._on_message)
        # While the connection is away this fails; its return subscribes, and makes every answer be read again.
        with contextlib.suppress(TimeoutError):
            await self._nc.flush()
        self._tasks.spawn_forever(self._census.run, "key census")

    async def stop(self) -> None:
        """Ends listening and what is being read."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None and not self._nc.is_closed:
            try:
                await subscription.unsubscribe()
            except (OSError, nats.errors.Error) as failure:
                logger.debug("ending the key subscription: %r", failure)
        await self._tasks.close()
        await self._notices.close()

    async def lookup(self, key: str) -> RelayKey | None:
        """The record of this key, also when it is disabled or expired (`find_problem` says so); None when unknown.

        Any text is looked up in the same way. Raises KeyringUnavailable.
        """
        digests = self._hasher.hashes(key)
        complete, now, era = self._census.complete, self._clock(), self._era
        record: RelayKey | None = None
        place = 0
        unsure: list[str] = []
        for number, digest in enumerate(digests):
            known, unknown = self._known.get(digest), self._unknown.get(digest)
            listed = digest in self._census
            held = known or unknown
            if held is None or held.until <= now or held.era != era:
                if listed or not complete:
                    unsure.append(digest)
            elif held.key is not None and record is None:
                record, place = held.key, number
        if record is None:
            # While the census has gaps, text that can't be a key is still not worth a question.
            if not unsure or not (complete or well_formed(key)):
                return None
            record, place = await self._read_first(unsure, digests)
        digest = digests[place]
        if digest in self._known:
            self._known.move_to_end(digest)
        if place and record is not None:
            self._notices.tell(digest, digests[0])
        return record

    @property
    def _era(self) -> int:
        return int(self._nc.stats["reconnects"]) + self._losses

    def _lost(self) -> None:
        self._losses += 1

    async def _read_first(self, unsure: Sequence[str], digests: Sequence[str]) -> tuple[RelayKey | None, int]:
        """The first record among these digests, and its place among all. Raises KeyringUnavailable."""
        # One caller that goes away must not take the answer from the others.
        answers = await asyncio.gather(*[asyncio.shield(self._reading(digest)) for digest in unsure])
        for digest, answer in zip(unsure, answers, strict=True):
            if isinstance(answer, _Held) and answer.key is not None:
                return answer.key, digests.index(digest)
        for answer in answers:
            if isinstance(answer, KeyringUnavailable):
                raise KeyringUnavailable(str(answer))
        return None, 0

    def _reading(self, digest: str) -> "asyncio.Task[_Held | KeyringUnavailable]":
        reading = self._reads.get(digest)
        if reading is None:
            reading = self._tasks.spawn(self._read(digest), "key lookup")
            self._reads[digest] = reading
            reading.add_done_callback(lambda _: self._reads.pop(digest, None))
        return reading

    async def _read(self, digest: str) -> _Held | KeyringUnavailable:
        """The answer, or the failure as a value: as an exception it would be logged, once for each of many keys."""
        era, tidied = self._era, self._tidied
        try:
            data = await self._ask(digest)
        except (OSError, TimeoutError, nats.errors.Error) as failure:
            return self._without_bus(digest, failure)
        held = self._answer(data, era)
        recent = self._recent.get(digest)
        if recent is not None:
            # A change can be heard before the stream, or its follower, answers with it.
            heard = self._answer(recent, era)
            if heard.revision >= held.revision:
                held = heard
        if tidied == self._tidied:
            self._keep(digest, held)
        return held

    async def _ask(self, digest: str) -> bytes:
        if not self._nc.is_connected:
            raise nats.errors.ConnectionReconnectingError
        async with asyncio.timeout(self._read_limit_s):
            try:
                message = await self._js.get_msg(
                    bucket_stream(BUCKET_KEYS), subject=bucket_subject(BUCKET_KEYS, digest), direct=True
                )
            except nats.js.errors.NotFoundError:
                return b""
        if (message.headers or {}).get(KV_OP) in {KV_DEL, KV_PURGE}:
            return b""
        return message.data or b""

    def _without_bus(self, digest: str, failure: Exception) -> _Held | KeyringUnavailable:
        held = self._known.get(digest)
        if held is None:
            return KeyringUnavailable(f"the keys can't be read: {failure!r}")
        # Not each of the coming requests should wait for the bus again.
        held.until = self._clock() + _STALE_S
        held.era = self._era
        return held

    def _answer(self, data: bytes, era: int) -> _Held:
        """What an entry's bytes say. One that can't be read is an unknown key: never let in by mistake."""
        key, revision, life_s = None, 0, self._negative_ttl_s
        if data:
            try:
                entry = decode(data)
            except BadEntry as failure:
                logger.error("a key entry is unreadable", extra={"fields": {"why": str(failure)}})
            else:
                revision = entry.revision
                key = entry.value if isinstance(entry.value, RelayKey) else None
                # A revocation is as good an answer as a record; that there is no entry may be a follower's delay.
                life_s = self._positive_ttl_s
        return _Held(key, revision, self._clock() + life_s, era)

    def _keep(self, digest: str, held: _Held) -> None:
        if held.key is None:
            table, other, capacity = self._unknown, self._known, NEGATIVE_CAPACITY
        else:
            table, other, capacity = self._known, self._unknown, self._capacity
        other.pop(digest, None)
        table[digest] = held
        table.move_to_end(digest)
        while len(table) > capacity:
            table.popitem(last=False)

    async def _on_message(self, message: Msg) -> None:
        digest = message.subject[len(_SUBJECT_PREFIX) :]
        self._census.heard(digest)
        if not message.data or (message.headers or {}).get(KV_OP) in {KV_DEL, KV_PURGE}:
            self._forget(digest)
            return
        self._recent[digest] = message.data
        self._recent.move_to_end(digest)
        while len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        held = self._known.get(digest) or self._unknown.get(digest)
        if held is not None:
            fresh = self._answer(message.data, self._era)
            if fresh.revision > held.revision:
                self._keep(digest, fresh)

    def _forget(self, digest: str) -> None:
        # A marker has no revision to compare with, so no answer that is on its way now may be kept.
        self._tidied += 1
        for table in (self._known, self._unknown, self._recent):
            table.pop(digest, None)


def find_problem(key: RelayKey | None, *, now_ms: int, ip: str) -> str | None:
    """Why this key may not be used now from this address, or None: unknown, disabled, expired, wrong_address.

    Everything is looked at whatever comes out, so that a caller can't tell the reasons apart by time. The reason is
    for our own counters: the client gets the same answer for each.
    """
    if key is None:
        key, known = _NOBODY, False
    else:
        known = True
    expired = key.expires_at_ms is not None and key.expires_at_ms <= now_ms
    elsewhere = bool(key.allowed_ips) and not _address_allowed(key.allowed_ips, ip)
    if not known:
        return "unknown"
    if not key.enabled:
        return "disabled"
    if expired:
        return "expired"
    return "wrong_address" if elsewhere else None


_NOBODY = RelayKey(id="", name="", account_id="", enabled=False)


@lru_cache(maxsize=4_096)
def _networks(allowed: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    networks = []
    for text in allowed:
        try:
            networks.append(ipaddress.ip_network(text.strip(), strict=False))
        except ValueError:
            # It allows nobody: a typing error must not open the key to everyone.
            logger.error("an allowed address of a key is unreadable")
    return tuple(networks)


def _address_allowed(allowed: tuple[str, ...], ip: str) -> bool:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _networks(allowed) if network.version == address.version)
