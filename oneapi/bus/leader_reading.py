"""Reads a bucket at the server that takes its writes, the leader of its stream.

It decides that an answer has everything that was acknowledged before it was asked for: a watch, and the reads of
nats-py's buckets, may be served by a replica that is behind. It must not know what entries mean.
"""

from collections.abc import AsyncIterator

import msgspec
import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from nats.js.kv import KV_DEL, KV_OP, KV_PURGE

from oneapi.bus.subjects import bucket_stream, bucket_subject

ANSWER_LIMIT_S = 10.0
EVERYTHING = ">"


class UnreadableAnswer(nats.errors.Error):
    """The server answered with an error, or with something else than was asked for."""


class State(msgspec.Struct, frozen=True):
    """A stream's last sequence, how many subjects it has, and on a page of its subjects how many messages each has."""

    last_seq: int
    num_subjects: int = 0
    subjects: dict[str, int] | None = None


class _Info(msgspec.Struct):
    state: State
    total: int = 0


_decoder = msgspec.json.Decoder(_Info)


async def state(js: JetStreamContext, bucket: str) -> State:
    """The bucket's counts, without subjects. Raises nats.errors.Error and TimeoutError."""
    return (await _ask(js, bucket, {})).state


async def pages(js: JetStreamContext, bucket: str, keys: str = EVERYTHING) -> AsyncIterator[State]:
    """All subjects of these keys, a page at a time, also those whose entry was deleted; at least one page.

    What is written meanwhile may be missing. Raises nats.errors.Error and TimeoutError.
    """
    offset = 0
    while True:
        request: dict[str, object] = {"subjects_filter": bucket_subject(bucket, keys), "offset": offset}
        page = await _ask(js, bucket, request)
        yield page.state
        found = len(page.state.subjects or ())
        offset += found
        if not found or offset >= page.total:
            return


async def names(js: JetStreamContext, bucket: str, keys: str = EVERYTHING) -> set[str]:
    """These keys, also those whose entry was deleted. Raises nats.errors.Error and TimeoutError."""
    start = len(bucket_subject(bucket, ""))
    return {subject[start:] async for page in pages(js, bucket, keys) for subject in page.subjects or ()}


async def newest(js: JetStreamContext, bucket: str, key: str) -> bytes | None:
    """The value under a key; None without one, or when it was deleted. Raises nats.errors.Error and TimeoutError."""
    try:
        found = await js.get_msg(bucket_stream(bucket), subject=bucket_subject(bucket, key))
    except NotFoundError:
        return None
    if (found.headers or {}).get(KV_OP) in {KV_DEL, KV_PURGE}:
        return None
    return found.data or b""


async def _ask(js: JetStreamContext, bucket: str, request: dict[str, object]) -> _Info:
    if not js._nc.is_connected:
        raise nats.errors.ConnectionReconnectingError
    subject = f"{js._prefix}.STREAM.INFO.{bucket_stream(bucket)}"
    answer = await js._nc.request(subject, msgspec.json.encode(request), timeout=ANSWER_LIMIT_S)
    try:
        return _decoder.decode(answer.data)
    except msgspec.MsgspecError as failure:
        raise UnreadableAnswer(f"STREAM.INFO of {bucket}: {failure}") from failure
