"""Keeps records in the bus's bucket of responses, sealed, each under its account and its key.

It decides how a record becomes messages: one when it is small, else parts and then a head that names them, so that it
is there as a whole or not at all. What another account stored is not found, as its key is another one. Reads are
answered by the stream's leader: what was acknowledged anywhere is found everywhere. It must not know what records mean.
"""

import asyncio
import base64
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

import msgspec
import nats.errors
import nats.js.errors
from nats.aio.client import Client as NatsClient
from nats.js.api import Header
from nats.js.kv import KV_DEL, KV_OP

from oneapi.bus.subjects import BUCKET_RESPONSES, bucket_stream, bucket_subject
from oneapi.runtime import semconv
from oneapi.runtime.metrics import counter
from oneapi.runtime.sealing import Sealer, SealError
from oneapi.runtime.tasks import TaskSet

logger = logging.getLogger(__name__)

OPERATIONS = counter(
    semconv.METRIC_STATE_OPERATIONS,
    "Reads and writes of what clients store, by how they ended",
    ("operation", "outcome"),
)

MESSAGE_BYTES = 512 * 1024
"""A message travels in base64 when it is read, and the bus takes a mebibyte."""
MAX_RECORD_BYTES = 32 * 1024 * 1024
LIMIT_S = 2.0
RENEW_SHARE = 0.5
_PARTS_AT_ONCE, _RECORDS_AT_ONCE = 8, 32
_READERS, _READERS_OF_ACCOUNT = 16, 4
"""Of several records, at the same time."""
_WHOLE, _PARTS = b"\x01", b"\x02"
_NOT_FOUND = 404
_WRONG_SEQUENCE = frozenset({10071, 10164})
_GET = f"$JS.API.STREAM.MSG.GET.{bucket_stream(BUCKET_RESPONSES)}"
_FAILURES = (OSError, TimeoutError, nats.errors.Error)


class StateUnavailable(Exception):
    """The bus doesn't answer: whether something is stored isn't known."""


class StateConflict(Exception):
    """The record was changed since it was read."""


class RecordTooLarge(Exception):
    """The record is larger than any is kept."""


class Found(msgspec.Struct, frozen=True):
    """A record and its revision. `age_s` is how long ago it was written."""

    value: bytes
    revision: int
    age_s: float


class _Message(msgspec.Struct):
    subject: str
    seq: int
    time: str = ""
    data: str = ""
    hdrs: str = ""


class _Error(msgspec.Struct):
    code: int = 0
    err_code: int = 0


class _Answer(msgspec.Struct):
    message: _Message | None = None
    error: _Error | None = None


_decoder = msgspec.json.Decoder(_Answer)


class StateStore:
    """The records of all accounts. Accounts and keys are words of letters, digits, `-` and `_`."""

    def __init__(
        self,
        nats: NatsClient,
        sealer: Sealer,
        *,
        lifetime_s: float,
        limit_s: float = LIMIT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._nats = nats
        self._js = nats.jetstream()
        self._sealer = sealer
        self._limit_s = limit_s
        self._clock = clock
        self._tasks = TaskSet()
        self._room = asyncio.Semaphore(_READERS)
        self._rooms: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self.lifetime_s = lifetime_s

    async def close(self) -> None:
        """Ends what is being renewed."""
        await self._tasks.close()

    @property
    def connected(self) -> bool:
        """Whether a write has a chance."""
        return bool(self._nats.is_connected)

    async def read(self, account_id: str, key: str) -> Found | None:
        """The record; None when this account has none. Raises StateUnavailable."""
        name = _name(account_id, key)
        head = await self._get(name)
        if head is None:
            OPERATIONS.labels("read", "missing").inc()
            return None
        sealed = head.value[1:]
        if head.value[:1] == _PARTS:
            parts = await self._parts(name, sealed)
            if parts is None:
                return None
            sealed = parts
        try:
            value = self._sealer.open_record(sealed, bound_to=_bound_to(name))
        except SealError as problem:
            OPERATIONS.labels("read", "unreadable").inc()
            logger.warning("a stored record can't be opened", extra={"fields": {"key": key, "why": str(problem)}})
            return None
        OPERATIONS.labels("read", "ok").inc()
        return Found(value, head.revision, head.age_s)

    async def read_all(
        self, account_id: str, keys: Sequence[str], max_bytes: int, *, renew: bool = False
    ) -> list[Found | None]:
        """Several records, in their order; no more than hold `max_bytes`. Raises StateUnavailable, RecordTooLarge.

        `renew`: they are used, so those that are half through their time begin it anew.
        """
        found: list[Found | None] = []
        size = 0
        # A short request may ask for much: whoever sends many at once waits for the own ones first.
        async with self._rooms.setdefault(account_id, asyncio.Semaphore(_READERS_OF_ACCOUNT)), self._room:
            for start in range(0, len(keys), _RECORDS_AT_ONCE):
                some = await asyncio.gather(
                    *(self.read(account_id, key) for key in keys[start : start + _RECORDS_AT_ONCE])
                )
                found += some
                size += sum(len(one.value) for one in some if one is not None)
                if size > max_bytes:
                    raise RecordTooLarge
        if renew:
            for key, one in zip(keys, found, strict=True):
                if one is not None and one.age_s > self.lifetime_s * RENEW_SHARE:
                    self._tasks.spawn(self._renew(account_id, key, one), "renewal of a stored record")
        return found

    async def write(self, account_id: str, key: str, value: bytes, *, last: int | None = None) -> None:
        """Stores a record. With `last` only if that is still its revision (0: there is none).

        Raises StateUnavailable (it may be stored all the same), StateConflict, RecordTooLarge.
        """
        if len(value) > MAX_RECORD_BYTES:
            raise RecordTooLarge
        name = _name(account_id, key)
        sealed = self._sealer.seal_record(value, bound_to=_bound_to(name))
        if len(sealed) < MESSAGE_BYTES:
            await self._put(name, _WHOLE + sealed, last)
        else:
            await self._put_parts(name, sealed)
            count = -(-len(sealed) // MESSAGE_BYTES)
            await self._put(name, _PARTS + f"{_digest(sealed)}.{count}".encode(), last)
        OPERATIONS.labels("write", "ok").inc()

    async def delete(self, account_id: str, key: str, *, last: int | None = None) -> None:
        """Takes a record away. Raises StateUnavailable, StateConflict."""
        name = _name(account_id, key)
        head = await self._get(name)
        # It first: its parts belong to it only if it is still the one that was read.
        await self._put(name, b"", last, delete=True)
        if head is not None and head.value[:1] == _PARTS:
            _, count = _pointed(head.value[1:])
            digest = head.value[1:].partition(b".")[0].decode()
            await asyncio.gather(*(self._put(f"{name}.{digest}.{n}", b"", None, delete=True) for n in range(count)))
        OPERATIONS.labels("delete", "ok").inc()

    async def delete_all(self, account_id: str, keys: Sequence[str]) -> None:
        """Takes several records away. Raises StateUnavailable."""
        for start in range(0, len(keys), _RECORDS_AT_ONCE):
            await asyncio.gather(*(self.delete(account_id, key) for key in keys[start : start + _RECORDS_AT_ONCE]))

    async def _renew(self, account_id: str, key: str, found: Found) -> None:
        """Writes a record again, unless it was changed since it was read."""
        try:
            await self.write(account_id, key, found.value, last=found.revision)
        except (StateConflict, StateUnavailable):
            logger.info("a stored record was not renewed", extra={"fields": {"key": key}})

    async def _parts(self, name: str, pointer: bytes) -> bytes | None:
        digest, count = _pointed(pointer)
        parts: list[bytes] = []
        for start in range(0, count, _PARTS_AT_ONCE):
            numbers = range(start, min(start + _PARTS_AT_ONCE, count))
            some = await asyncio.gather(*(self._get(f"{name}.{digest}.{number}") for number in numbers))
            for part in some:
                if part is None:
                    # It ended, or gave way to newer ones.
                    return None
                parts.append(part.value)
        return b"".join(parts)

    async def _put_parts(self, name: str, sealed: bytes) -> None:
        digest = _digest(sealed)
        pieces = [sealed[at : at + MESSAGE_BYTES] for at in range(0, len(sealed), MESSAGE_BYTES)]
        for start in range(0, len(pieces), _PARTS_AT_ONCE):
            some = enumerate(pieces[start : start + _PARTS_AT_ONCE], start)
            await asyncio.gather(*(self._put(f"{name}.{digest}.{number}", piece, None) for number, piece in some))

    async def _get(self, name: str) -> Found | None:
        subject = bucket_subject(BUCKET_RESPONSES, name)
        question = msgspec.json.encode({"last_by_subj": subject})
        try:
            answer = _decoder.decode((await self._nats.request(_GET, question, timeout=self._limit_s)).data)
        except (*_FAILURES, msgspec.MsgspecError) as failure:
            OPERATIONS.labels("read", "failed").inc()
            raise StateUnavailable("the bus does not answer") from failure
        message = answer.message
        if message is None:
            if answer.error is not None and answer.error.code == _NOT_FOUND:
                return None
            OPERATIONS.labels("read", "failed").inc()
            raise StateUnavailable("the bus refuses to answer")
        age_s = max(self._clock() - _seconds(message.time), 0.0)
        if not message.data or age_s > self.lifetime_s:
            # A mark of a deletion has no data.
            return None
        return Found(base64.b64decode(message.data), message.seq, age_s)

    async def _put(self, name: str, data: bytes, last: int | None, *, delete: bool = False) -> None:
        headers: dict[str, Any] = {KV_OP: KV_DEL} if delete else {}
        if last is not None:
            headers[Header.EXPECTED_LAST_SUBJECT_SEQUENCE] = str(last)
        subject = bucket_subject(BUCKET_RESPONSES, name)
        try:
            await self._js.publish(subject, data, timeout=self._limit_s, headers=headers or None)
        except nats.js.errors.APIError as failure:
            if failure.err_code in _WRONG_SEQUENCE:
                raise StateConflict from None
            OPERATIONS.labels("write", "failed").inc()
            raise StateUnavailable("the bus refuses it") from failure
        except _FAILURES as failure:
            OPERATIONS.labels("write", "failed").inc()
            raise StateUnavailable("the bus does not answer") from failure


def _name(account_id: str, key: str) -> str:
    """Where a record is: nobody else's credential leads there."""
    return f"{account_id}.{key}"


def _bound_to(name: str) -> str:
    return f"{BUCKET_RESPONSES}/{name}"


def _digest(sealed: bytes) -> str:
    return hashlib.sha256(sealed).hexdigest()[:16]


def _pointed(pointer: bytes) -> tuple[str, int]:
    """What a head says of its parts. A head that somebody else wrote points to nothing that opens."""
    digest, _, count = pointer.partition(b".")
    known = digest.isalnum() and count.isdigit() and len(count) < 4
    return (digest.decode(), int(count)) if known else ("none", 0)


def _seconds(text: str) -> float:
    """The server's time of a message, as seconds since 1970; finer than a microsecond it is cut."""
    whole, _, rest = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{rest[:6]:0<6}+00:00").timestamp()
