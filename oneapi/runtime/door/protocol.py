"""uvicorn's httptools protocol with what it lacks: deadlines for headers, bodies and readers, bounds on heads, error
answers in the service's own format, and a sign for the handler when the client has gone.

It decides when a connection is cut before or while a request arrives, or while its answer leaves. It must not know what
a request is about.
"""

import asyncio
import enum
from collections.abc import Callable
from typing import Any, Protocol

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from oneapi.dialects.errors import GatewayError
from oneapi.runtime.door import refusals
from oneapi.runtime.door.answers import Render
from oneapi.runtime.door.cycle import Cycle
from oneapi.runtime.door.gate import Gate
from oneapi.runtime.door.limits import DoorLimits
from oneapi.runtime.door.reset import reset

CLIENT_KEY = "oneapi.client"
"""Where the ASGI scope holds the `Client`."""
ARRIVED_KEY = "oneapi.arrived"
"""In the ASGI scope of a request that the door has counted as arriving."""

_HTTP_VERSIONS = frozenset({"1.0", "1.1"})
_RATE_GRACE_S = 10.0
_LINGER_S = 1.0
_LINGER_BYTES = 4 * 1024 * 1024
_CONGESTION_BYTES = 256 * 1024
_CONNECT = b"CONNECT"
_OF_UPGRADES = frozenset({b"upgrade", b"http2-settings"})


class Client(Protocol):
    """The connection that a request came from, as its handler sees it."""

    gone: bool
    on_gone: Callable[[], object] | None
    """Called once when the connection ends, if set by then."""

    @property
    def answered(self) -> bool:
        """Whether an answer to the present request has begun."""

    def abort(self) -> None:
        """Ends the connection at once."""


class _Stage(enum.Enum):
    IDLE = enum.auto()
    HEAD = enum.auto()
    BODY = enum.auto()


class _Refused(Exception):
    """Ends the parsing of a message that is not taken."""


class _Dropped(list[tuple[bytes, bytes]]):
    """Where trailers go: they are no headers."""

    def append(self, _item: tuple[bytes, bytes]) -> None:
        """Forgets it."""


class StrictProtocol(HttpToolsProtocol):
    """One connection. `render` makes a whole HTTP answer of an error for the request's raw target, `gate` says who is
    served at all.
    """

    def __init__(self, *, limits: DoorLimits, render: Render, gate: Gate, **given: Any) -> None:
        super().__init__(**given)
        self.gone = False
        self.on_gone: Callable[[], object] | None = None
        self.url = b""
        self._limits = limits
        self._render = render
        self._shed = gate.shed
        self._arrive = gate.arrive
        self._shed_with = b""
        self._stage = _Stage.HEAD
        self._timer: asyncio.TimerHandle | None = None
        self._reader_timer: asyncio.TimerHandle | None = None
        self._unsent_bytes = 0
        self._error: GatewayError | None = None
        self._refused = False
        self._plain_head = b""
        self._running: Cycle | None = None
        self._chunk_bytes = 0
        self._message_bytes = 0
        self._pieces = 0
        self._body_started_s = 0.0
        self._last_byte_s = 0.0

    # The handler's view

    @property
    def answered(self) -> bool:
        """See `Client`."""
        return self.cycle is not None and self.cycle.response_started

    def abort(self) -> None:
        """See `Client`."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        reset(self.transport)

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=_CONGESTION_BYTES)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._unwatch_reader()
        super().connection_lost(exc)
        self.gone = True
        if self.on_gone is not None:
            self.on_gone()

    def data_received(self, data: bytes) -> None:
        size = len(data)
        self._message_bytes += size
        if self._refused:
            if self._message_bytes > _LINGER_BYTES:
                reset(self.transport)
            return
        self._chunk_bytes = size
        self._unset_keepalive_if_required()
        try:
            self._parse(memoryview(data))
        except httptools.HttpParserError:
            self.send_400_response("")
            return
        self._set_deadline()

    def _parse(self, data: memoryview) -> None:
        """Feeds the parser. Raises HttpParserError.

        It takes what follows a head with `Upgrade` for another protocol's, and would read the rest of the body as
        the next request. We upgrade to nothing: such a head is read again without the wish, by a new parser, as this
        one may have read `Connection: close` in it and be done.
        """
        while True:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                head, self._plain_head = self._plain_head, b""
                self.parser = httptools.HttpRequestParser(self)
                # As uvicorn has it: what comes after the last request is dropped and no error.
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                self.parser.feed_data(head)

    def _set_deadline(self) -> None:
        """What the connection now waits for, and until when."""
        if self._refused:
            return
        if self._stage is _Stage.IDLE:
            if self._timer is not None:
                self._disarm()
        elif self._stage is _Stage.HEAD:
            self._pieces += 1
            if self._message_bytes > self._limits.header_bytes or self._pieces > self._limits.head_pieces:
                self._refuse(refusals.headers_too_large())
            elif self._timer is None:
                self._await_head()
        else:
            self._last_byte_s = self.loop.time()
            if self._message_bytes > self._limits.discard_bytes:
                reset(self.transport)
            elif self._timer is None:
                self._body_started_s = self._last_byte_s
                self._arm(self._limits.body_idle_s)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    # The parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._stage = _Stage.HEAD
        self._message_bytes = self._chunk_bytes
        scope: Any = self.scope
        scope[CLIENT_KEY] = self

    def on_headers_complete(self) -> None:
        limits = self._limits
        version = self.parser.get_http_version()
        method = self.parser.get_method()
        if version not in _HTTP_VERSIONS or method == _CONNECT or b"#" in self.url:
            self._error = refusals.malformed_request()
        elif len(self.pipeline) >= limits.pipelined:
            # Nobody can be told: the answers to those before come first. The connection ends.
            self._error = refusals.overloaded()
        elif version == "1.0" and any(name == b"transfer-encoding" for name, _ in self.headers):
            # A proxy of that age would have passed the chunks on as it found them.
            self._error = refusals.malformed_request()
        elif len(self.url) > limits.url_bytes:
            self._error = refusals.url_too_long()
        elif len(self.headers) > limits.header_count or self._header_bytes() > limits.header_bytes:
            self._error = refusals.headers_too_large()
        if self._error is not None:
            raise _Refused
        if self.parser.should_upgrade():
            self._plain_head = self._without_upgrade(method, version)
            return
        may_shed = self._between_requests()
        self._shed_with = self._shed(self.url) if may_shed else b""
        if self._shed_with:
            self.cycle = None  # type: ignore[assignment]  # as uvicorn begins: no request is under way
        else:
            super().on_headers_complete()
            self.cycle.__class__ = Cycle
            if may_shed:
                # Only now: what is refused above has no handler that would begin.
                scope: Any = self.scope
                scope[ARRIVED_KEY] = True
                self._arrive()
        self._stage = _Stage.BODY
        # The head's deadline has done its work; the body's begins when the body turns out to be incomplete.
        self._disarm()
        self.headers = _Dropped()

    def _without_upgrade(self, method: bytes, version: str) -> bytes:
        """The head that has come, without what asks for another protocol."""
        lines = [b"%s %s HTTP/%s" % (method, self.url, version.encode())]
        for name, value in self.headers:
            if name == b"connection":
                tokens = [token.strip() for token in value.split(b",")]
                value = b", ".join(token for token in tokens if token.lower() not in _OF_UPGRADES)  # noqa: PLW2901
            if name not in _OF_UPGRADES:
                lines.append(b"%s: %s" % (name, value))
        return b"\r\n".join([*lines, b"", b""])

    def _header_bytes(self) -> int:
        """The head's own size: it may have come together with a piece of the body."""
        if self._message_bytes <= self._limits.header_bytes:
            return self._message_bytes
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _between_requests(self) -> bool:
        """Whether an answer could be written without a handler, and the connection go on after it."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered and not self.expect_100_continue and bool(self.parser.should_keep_alive())

    def on_body(self, body: bytes) -> None:
        if not self._shed_with:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._plain_head:
            return
        self._stage = _Stage.IDLE
        if not self._shed_with:
            super().on_message_complete()
        elif not self.transport.is_closing():
            self.transport.write(self._shed_with)
            self.on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """uvicorn's way out of every parser error."""
        self._refuse(self._error or refusals.malformed_request())

    # Deadlines

    def _await_head(self) -> None:
        self._pieces = 0
        self._arm(self._limits.header_s)

    def _arm(self, delay_s: float) -> None:
        self._timer = self.loop.call_later(delay_s, self._on_timer)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        if self._refused:
            self.transport.abort()
        elif self._stage is _Stage.HEAD:
            if self._message_bytes == 0:
                self.transport.close()
            else:
                self._refuse(refusals.request_timeout())
        elif self._stage is _Stage.BODY:
            self._check_body()

    def _check_body(self) -> None:
        """The body is still coming: is it coming fast enough?"""
        limits = self._limits
        now_s = self.loop.time()
        if self.flow.read_paused:
            # We are the slow one. Its clock stands still until we read again.
            self._body_started_s += limits.body_idle_s
            self._last_byte_s = now_s
        elapsed_s = now_s - self._body_started_s
        due = self._message_bytes < limits.body_bytes_per_s * (elapsed_s - _RATE_GRACE_S)
        if elapsed_s >= limits.body_total_s or now_s - self._last_byte_s >= limits.body_idle_s or due:
            self._refuse(refusals.request_timeout())
        else:
            self._arm(limits.body_idle_s)

    # Readers

    def pause_writing(self) -> None:
        """The client has much to take: it is watched until it has taken most of it."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """It has."""
        super().resume_writing()
        self._unwatch_reader()

    def on_response_complete(self) -> None:
        """As uvicorn has it. A connection that closes does so when its client has taken the rest."""
        if self.transport.is_closing():
            self._watch_reader()
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came for long, and the connection closes."""
        super().timeout_keep_alive_handler()
        self._watch_reader()

    def _watch_reader(self) -> None:
        if self._reader_timer is None:
            self._unsent_bytes = self.transport.get_write_buffer_size()
            if self._unsent_bytes:
                self._reader_timer = self.loop.call_later(self._limits.write_stall_s, self._check_reader)

    def _unwatch_reader(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def _check_reader(self) -> None:
        """Something is still unsent: does the client take it fast enough?"""
        self._reader_timer = None
        before = self._unsent_bytes
        limits = self._limits
        if before - self.transport.get_write_buffer_size() < limits.write_bytes_per_s * limits.write_stall_s:
            self.abort()
        else:
            self._watch_reader()

    def _refuse(self, error: GatewayError) -> None:
        """Answers for the handler where none has answered yet, and ends the connection."""
        cycle = self.cycle
        in_body = self._stage is _Stage.BODY
        waiting = cycle is not None and not cycle.response_complete
        started = cycle is not None and cycle.response_started
        # An earlier request's answer may be under way on this connection: nothing may be written into it.
        silent = bool(self.pipeline) or (started if in_body else waiting)
        self._refused = True
        # Nothing more is written on this connection, so those that wait need not begin.
        self.pipeline.clear()
        self._message_bytes = 0
        self._disarm()
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        if not silent:
            self.transport.write(self._render(self.url, error))
        if waiting:
            # With pipelining the one whose handler runs is another than the last that came.
            for each in (self._running, cycle):
                if each is not None:
                    each.disconnected = True
                    each.message_event.set()
            self.gone = True
            if self.on_gone is not None:
                self.on_gone()
        self._linger(ended=not silent)

    def _linger(self, *, ended: bool) -> None:
        """Reads on for a moment: closing with unread bytes in the socket would reset it, and the answer with it.

        Unless `ended`, answers to earlier requests may still be written meanwhile.
        """
        self.flow.resume_reading()
        if ended:
            try:
                self.transport.write_eof()
            except (OSError, RuntimeError, NotImplementedError):
                self.transport.close()
                return
        self._arm(_LINGER_S)
