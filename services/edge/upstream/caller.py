"""Calls a channel and returns its answer once the answer's head is there.

It decides what an upstream sees of a request: the body, an allowed few of the client's headers, the trace, and what
signs all that where a vendor wants it. It must not know which channel is right, or what an answer means.
"""

import time
from collections.abc import Iterable
from typing import Protocol

import msgspec
from multidict import CIMultiDict

from oneapi.providers.spec import Outgoing
from oneapi.runtime.egress.headers import header_lines
from services.edge.upstream.answer import Answer, HttpAnswer
from services.edge.upstream.failures import UpstreamFailure
from services.edge.upstream.http1_connection import PIECE_BYTES
from services.edge.upstream.http1_pool import Pool
from services.edge.upstream.http1_request import Prepared
from services.edge.upstream.target import CONTENT_TYPE, Target, Targets, unusable

_RELAYED_TO = {
    "openai_chat": ("openai-beta",),
    "openai_responses": ("openai-beta",),
    "openai_embeddings": ("openai-beta",),
    "anthropic_messages": ("anthropic-version", "anthropic-beta"),
}


class Call(msgspec.Struct, frozen=True):
    """One call to make. `relayed` are the client's headers that may travel; `traceparent` is "" when unsampled.

    With `counts` the body's tokens are to be counted, and nothing answered.
    """

    dialect: str
    upstream_model: str
    body: bytes
    stream: bool
    relayed: tuple[tuple[str, str], ...]
    traceparent: str
    request_id: str
    counts: bool = False


class Caller(Protocol):
    """A way to call channels."""

    async def call(self, target: Target, call: Call) -> Answer:
        """The answer's head, whatever its status. Raises UpstreamFailure when there is none."""


class Callers:
    """Calls each channel in its own way."""

    def __init__(self, over_http: Caller, in_process: Caller) -> None:
        self._over_http = over_http
        self._in_process = in_process

    async def call(self, target: Target, call: Call) -> Answer:
        """See `Caller`."""
        way = self._in_process if target.spec.in_process else self._over_http
        return await way.call(target, call)


class HttpCaller:
    """Calls channels over HTTP."""

    def __init__(self, pool: Pool, targets: Targets) -> None:
        self._pool = pool
        self._targets = targets

    def close(self) -> None:
        """Ends its connections."""
        self._pool.close()

    async def call(self, target: Target, call: Call) -> Answer:
        """See `Caller`."""
        prepared = self._targets.prepared(
            target, call.dialect, call.upstream_model, stream=call.stream, counts=call.counts
        )
        head = head_of(prepared, target, call)
        first_byte_s = target.stream_first_byte_s if call.stream else target.whole_first_byte_s
        place, body = prepared.place, call.body
        connection = self._pool.take(place) or await self._pool.connect(place, target.connect_s)
        answer = HttpAnswer(connection)
        try:
            connection.ask(answer, head, body, first_byte_s, target.idle_s)
            if len(body) > PIECE_BYTES:
                await connection.upload(answer, body)
            await answer.head()
        except BaseException as failure:
            answer.close()
            if isinstance(failure, UpstreamFailure) and failure.broken:
                self._pool.distrust(place)
            raise
        return answer


def head_of(prepared: Prepared, target: Target, call: Call) -> bytes:
    """The head of one call. Raises UpstreamFailure when a header can't be sent."""
    always = target.headers[call.dialect]
    headers = call_headers(always, call)
    if target.sign is not None:
        outgoing = Outgoing("POST", prepared.host, prepared.target, CONTENT_TYPE, call.body)
        headers = headers.copy()
        headers.update(target.sign(outgoing, time.time()))
    length = b"Content-Length: %d\r\n\r\n" % len(call.body)
    if headers is always:
        return prepared.head + length
    try:
        return prepared.line + header_lines(headers.items()) + length
    except ValueError:
        raise unusable("unusable headers") from None


def call_headers(always: CIMultiDict[str], call: Call) -> CIMultiDict[str]:
    """The headers of one call: the channel's own, and of the client's those that its dialect knows."""
    extra = list(_relayed(call.dialect, call.relayed)) if call.relayed else []
    if call.traceparent:
        extra.append(("traceparent", call.traceparent))
    if not extra:
        return always
    headers = always.copy()
    headers.update(extra)
    return headers


def _relayed(dialect: str, relayed: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    names = _RELAYED_TO.get(dialect, ())
    return (pair for pair in relayed if pair[0] in names)
