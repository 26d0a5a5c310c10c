"""Reads streams and buckets at the server that takes their writes, the leader of the stream.

It decides that an answer has what was acknowledged before it was asked for: a watch, and the reads of nats-py's
buckets, may be served by a replica that is behind. A leader that was cut off from the others goes on answering until it
notices that. It must not know what entries mean.
"""

from collections.abc import AsyncIterator

import msgspec
import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from nats.js.kv import KV_DEL, KV_OP, KV_PURGE

from oneapi.bus.subjects import EVERYTHING, bucket_stream, bucket_subject

_ANSWER_LIMIT_S = 10.0
_NO_MESSAGE = 10_037
"""The server's code for a subject without messages; a stream that is not there has another."""


class NoLeaderAnswered(nats.errors.Error):
    """The server answered with an error, or as one that doesn't know who leads."""


class State(msgspec.Struct, frozen=True):
    """A stream's first and last sequence, how many subjects it has, and on a page of these the messages of each."""

    first_seq: int
    last_seq: int
    num_subjects: int = 0
    subjects: dict[str, int] | None = None


class _Cluster(msgspec.Struct):
    leader: str = ""


class _Error(msgspec.Struct):
    code: int = 0
    description: str = ""


class _Info(msgspec.Struct):
    state: State | None = None
    total: int = 0
    cluster: _Cluster | None = None
    error: _Error | None = None


_decoder = msgspec.json.Decoder(_Info)


async def state(js: JetStreamContext, stream: str) -> State:
    """The stream's counts, without subjects. Raises nats.errors.Error and TimeoutError."""
    found, _ = await _ask(js, stream, {})
    return found


async def pages(js: JetStreamContext, stream: str, subject: str) -> AsyncIterator[State]:
    """All subjects of a pattern, a page at a time; at least one page. What is written meanwhile may be missing.

    Raises nats.errors.Error and TimeoutError.
    """
    offset = 0
    while True:
        page, total = await _ask(js, stream, {"subjects_filter": subject, "offset": offset})
        yield page
        found = len(page.subjects or ())
        offset += found
        if not found or offset >= total:
            return


async def names(js: JetStreamContext, bucket: str, keys: str = EVERYTHING) -> set[str]:
    """These keys of a bucket, also those whose entry was deleted. Raises nats.errors.Error and TimeoutError."""
    start = len(bucket_subject(bucket, ""))
    found: set[str] = set()
    async for page in pages(js, bucket_stream(bucket), bucket_subject(bucket, keys)):
        found.update(subject[start:] for subject in page.subjects or ())
    return found


async def newest(js: JetStreamContext, bucket: str, key: str) -> bytes | None:
    """The value under a key; None without one, or when it was deleted. Raises nats.errors.Error and TimeoutError."""
    try:
        found = await js.get_msg(bucket_stream(bucket), subject=bucket_subject(bucket, key))
    except NotFoundError as failure:
        if failure.err_code != _NO_MESSAGE:
            raise
        return None
    if (found.headers or {}).get(KV_OP) in {KV_DEL, KV_PURGE}:
        return None
    return found.data or b""


async def _ask(js: JetStreamContext, stream: str, request: dict[str, object]) -> tuple[State, int]:
    if not js._nc.is_connected:
        raise nats.errors.ConnectionReconnectingError
    subject = f"{js._prefix}.STREAM.INFO.{stream}"
    answer = await js._nc.request(subject, msgspec.json.encode(request), timeout=_ANSWER_LIMIT_S)
    try:
        info = _decoder.decode(answer.data)
    except msgspec.MsgspecError as failure:
        raise NoLeaderAnswered(f"STREAM.INFO of {stream}: {failure}") from failure
    if info.error is not None or info.state is None:
        raise NoLeaderAnswered(f"STREAM.INFO of {stream}: {info.error}")
    if info.cluster is not None and not info.cluster.leader:
        # During an election each of its servers answers, from what it has.
        raise NoLeaderAnswered(f"STREAM.INFO of {stream}: nobody leads it now")
    return info.state, info.total
