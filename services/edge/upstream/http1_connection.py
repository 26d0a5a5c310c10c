"""One connection to a provider: HTTP/1.1, one request at a time, used again while both sides keep to the rules.

It decides what an answer on the wire may look like, how much of it waits here for a slow reader, and how long silence
may last. It must not know where the connection goes, or what is said through it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import httptools

from oneapi.runtime.egress.addresses import Place
from services.edge import refusals
from services.edge.upstream.answer import HttpAnswer
from services.edge.upstream.failures import Kind, UpstreamFailure, broken_answer, parse_retry_after

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADER_COUNT = 100
READ_AHEAD_BYTES = 256 * 1024
"""What a connection has read and nobody has taken, before it stops reading."""
PIECE_BYTES = 256 * 1024
"""A body larger than this is written piece by piece, so that it does not hold up everybody else."""
IDLE_CONNECTION_S = 60.0

_CONTENT_TYPE = b"content-type"
_CONTENT_ENCODING = b"content-encoding"
_CONTENT_LENGTH = b"content-length"
_RETRY_AFTER = b"retry-after"
_TRANSFER_ENCODING = b"transfer-encoding"
_WANTED = frozenset({_CONTENT_TYPE, _CONTENT_ENCODING, _CONTENT_LENGTH, _RETRY_AFTER, _TRANSFER_ENCODING})
_WITHOUT_BODY = frozenset({204, 304})
_SWITCHED = 101


class _NotTaken(Exception):
    """Ends the parsing of an answer that is not taken. `str()` says why."""


class Keeper(Protocol):
    """Who has the connection while no request uses it."""

    def free(self, connection: "Connection") -> bool:
        """The connection may serve again; False when it isn't wanted."""

    def lost(self, connection: "Connection") -> None:
        """The connection is closed."""


class Connection(asyncio.Protocol):
    """`parts` is what has arrived of the present answer's body. `reused`: it has served before."""

    # httptools finds `on_body` here: a list's own method, so that no Python runs for the pieces of a body.
    __slots__ = (
        "_answer", "_complete", "_deadline_s", "_head_bytes", "_header_count", "_headers", "_heard", "_idle_s",
        "_interim", "_keep", "_keeper", "_limit_s", "_loop", "_may_write", "_parser", "_paused", "_refused", "_timer",
        "_timer_s", "_transport", "_unread", "_until_close", "_uploading", "on_body", "parts", "place", "reused",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, keeper: Keeper, place: Place) -> None:
        self._loop = loop
        self._keeper = keeper
        self.place = place
        self.reused = False
        self.parts: list[bytes] = []
        self.on_body: Callable[[bytes], None] = self.parts.append
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: HttpAnswer | None = None
        self._headers: dict[bytes, bytes] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = self._deadline_s = self._limit_s = self._idle_s = 0.0
        self._may_write: asyncio.Future[None] | None = None
        self._paused = False
        self._uploading = False
        self._begin()

    def _begin(self) -> None:
        """Nothing has been heard of the next answer."""
        self._refused = ""
        self._headers.clear()
        self._head_bytes = self._header_count = self._unread = 0
        self._heard = self._interim = self._complete = self._keep = self._until_close = False

    # Requests

    @property
    def usable(self) -> bool:
        """Whether a request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, answer: HttpAnswer, head: bytes, body: bytes, first_byte_s: float, idle_s: float) -> None:
        """Sends a request, whose answer this fills in; of a large body only a first piece. The head must be here, and
        then the first piece of the body, each within `first_byte_s`; silence later may last `idle_s`."""
        if self._transport is None:
            raise TypeError("the connection isn't made")
        self._answer = answer
        self._begin()
        self._limit_s, self._idle_s = first_byte_s, idle_s
        self._expect(self._loop.time() + first_byte_s)
        if len(body) > PIECE_BYTES:
            self._uploading = True
            body = body[:PIECE_BYTES]
        self._transport.write(head + body)

    async def upload(self, answer: HttpAnswer, body: bytes) -> None:
        """Sends the rest of a large body, as far as the answer lets it: one that comes early ends it."""
        view = memoryview(body)
        for at in range(PIECE_BYTES, len(body), PIECE_BYTES):
            if self._may_write is not None:
                await self._may_write
            transport = self._transport
            if self._answer is not answer or answer.status or transport is None:
                return
            self._expect(self._loop.time() + self._limit_s)
            transport.write(view[at : at + PIECE_BYTES])
            # Others get their turn, however fast the network takes it.
            await asyncio.sleep(0)
        self._uploading = False

    def taken(self) -> None:
        """See `Wire`."""
        self._unread = 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._expect(self._loop.time() + self._limit_s)
            self._transport.resume_reading()

    def abort(self) -> None:
        """See `Wire`."""
        self._answer = None
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Ends a connection that nobody uses, in good order."""
        if self._transport is not None:
            self._transport.close()

    # The transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = transport  # type: ignore[assignment]  # always a stream's

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        answer = self._answer
        if answer is None:
            # Nothing was asked: what comes now would be taken for the next request's answer.
            self.abort()
            return
        self._heard = True
        self._unread += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._keep = False
            if not self._complete:
                self._fail(broken_answer(self._refused or "no answer in HTTP", answer.status))
                return
        if self._complete:
            self._end()
        elif answer.status:
            if self.parts:
                self._limit_s = self._idle_s
            self._expect(self._loop.time() + self._limit_s)
            if self._unread > READ_AHEAD_BYTES and not self._paused and self._transport is not None:
                self._paused = True
                self._transport.pause_reading()
            answer.wake()
        elif self._unread > MAX_HEAD_BYTES:
            self._fail(broken_answer("a head too large"))

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        answer, self._answer = self._answer, None
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # The parser holds this object's methods: left alone, both would wait for the garbage collector.
        del self._parser
        self._let_write()
        self._keeper.lost(self)
        if answer is None:
            return
        why = type(exc).__name__ if exc is not None else "the connection ended"
        if self._until_close and exc is None:
            answer.let_go(None)
        elif self._heard:
            answer.let_go(broken_answer(why, answer.status))
        else:
            error = refusals.upstream_unreachable()
            answer.let_go(UpstreamFailure(Kind.CONNECT_FAILED, error, why, broken=self.reused))

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._may_write = self._loop.create_future()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._let_write()

    # The parser

    def on_message_begin(self) -> None:
        """Refuses a second answer to one request, before anything of it could be taken for the first one's."""
        if self._complete:
            raise _NotTaken

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or one trailer."""
        self._header_count += 1
        self._head_bytes += len(name) + len(value)
        if self._header_count > MAX_HEADER_COUNT or self._head_bytes > MAX_HEAD_BYTES:
            self._refuse("a head too large")
        name = name.lower()
        if name in _WANTED:
            # Of what comes twice the first counts; two lengths or encodings of a body don't get past the parser.
            self._headers.setdefault(name, value)

    def on_headers_complete(self) -> None:
        """The head is there, or one of those that come before it."""
        status = self._parser.get_status_code()
        headers = self._headers
        if status < 200:
            if status == _SWITCHED:
                self._refuse("another protocol")
            self._interim = True
            headers.clear()
            return
        answer = self._answer
        if answer is None:
            raise _NotTaken
        if headers.get(_TRANSFER_ENCODING, b"chunked").lower() != b"chunked":
            self._refuse("an unknown transfer encoding")
        if headers.get(_CONTENT_ENCODING, b"identity").lower() != b"identity":
            self._refuse("a compressed answer")
        length = headers.get(_CONTENT_LENGTH)
        if length is not None:
            answer.length = int(length)
        elif _TRANSFER_ENCODING not in headers and status not in _WITHOUT_BODY:
            self._until_close = True
        answer.content_type = headers.get(_CONTENT_TYPE, b"").decode("latin-1")
        wait = headers.get(_RETRY_AFTER)
        if wait is not None:
            answer.retry_after_s = parse_retry_after(wait.decode("latin-1"), time.time())
        answer.status = status
        self._let_write()

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._interim:
            self._interim = False
            return
        self._complete = True
        self._keep = self._parser.should_keep_alive()

    # Inside

    def _refuse(self, why: str) -> None:
        self._refused = why
        raise _NotTaken(why)

    def _end(self) -> None:
        """Lets the whole answer go, and goes back to who keeps free connections."""
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.let_go(None)
        self.parts.clear()
        keep = self._keep and not self._uploading and self.usable
        if keep and self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        if keep and self._keeper.free(self):
            self._expect(self._loop.time() + IDLE_CONNECTION_S)
        else:
            self.close()

    def _fail(self, failure: UpstreamFailure) -> None:
        answer = self._answer
        if answer is not None:
            answer.let_go(failure)
        self._let_write()
        self.abort()

    def _let_write(self) -> None:
        waiter, self._may_write = self._may_write, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _expect(self, deadline_s: float) -> None:
        """Sets the time of the next word. The timer often stands already: a later deadline is seen when it fires."""
        self._deadline_s = deadline_s
        if self._timer is not None:
            if self._timer_s <= deadline_s:
                return
            self._timer.cancel()
        self._timer_s = deadline_s
        self._timer = self._loop.call_at(deadline_s, self._look)

    def _look(self) -> None:
        """Whether silence has lasted too long."""
        self._timer = None
        now_s = self._loop.time()
        if self._answer is not None and self.parts:
            # What came isn't taken yet: we are the slow one.
            self._deadline_s = max(self._deadline_s, now_s + self._limit_s)
        if now_s < self._deadline_s:
            self._expect(self._deadline_s)
        elif self._answer is None:
            self.close()
        else:
            self._fail(UpstreamFailure(Kind.TIMEOUT, refusals.upstream_timeout(), "silence"))
