"""The hot path's one connection to Redis: all commands of a loop turn go out in one write, replies come back in order.

It decides time-outs (100 ms to connect, 250 ms for a reply) and when a connection is given up. It retries nothing: a
command that went out and got no reply may have been done or not, and only its sender knows what that means. It must not
know what the commands do.
"""

import asyncio
import collections
import contextlib
import logging
import ssl
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from oneapi.runtime import redis_functions
from oneapi.runtime.redaction import redact
from services.edge.money import resp

logger = logging.getLogger(__name__)

CONNECT_S = 0.1
REPLY_S = 0.25
SECOND_LOOK_S = 0.005
PAUSE_S = 0.05
"""After a failed attempt to connect, commands fail at once for so long."""
LATER = 4_096
"""Casts that wait for a connection."""
_LOG_EVERY_S = 5.0


class RedisAway(Exception):
    """There is no connection: the command was not sent."""


class RedisSilent(Exception):
    """The command was sent and no reply came: it may have been done or not."""


class Address(msgspec.Struct, frozen=True):
    """Where Redis is, from `redis://`, `rediss://` (TLS) or `unix://` URLs."""

    host: str
    port: int
    path: str
    tls: bool
    user: str
    password: str
    database: str


def address(url: str) -> Address:
    """Takes a Redis URL apart. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("a Redis URL begins with redis://, rediss:// or unix://")
    unix = parts.scheme == "unix"
    query = parse_qs(parts.query)
    database = query.get("db", ["0" if unix else parts.path.strip("/") or "0"])[0]
    return Address(
        parts.hostname or "localhost",
        parts.port or 6379,
        parts.path if unix else "",
        parts.scheme == "rediss",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        database,
    )


Waiting = tuple[float, "asyncio.Future[Any] | None"]


class _Wire(asyncio.Protocol):
    """One connection's bytes. It fails everything that waits when it ends, for whatever reason."""

    def __init__(self, loop: asyncio.AbstractEventLoop, before_write: Callable[[], bool]) -> None:
        self._loop = loop
        self._before_write = before_write
        self._transport: asyncio.WriteTransport | None = None
        self._outbox: list[bytes] = []
        self._waiting: collections.deque[Waiting] = collections.deque()
        self._timer: asyncio.TimerHandle | None = None
        self._overdue: Waiting | None = None
        self._rest = b""
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def send(self, command: bytes, future: "asyncio.Future[Any] | None") -> None:
        if not self._outbox:
            self._loop.call_soon(self._flush)
        self._outbox.append(command)
        deadline = self._loop.time() + REPLY_S
        self._waiting.append((deadline, future))
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._look)

    def _flush(self) -> None:
        outbox, self._outbox = self._outbox, []
        if self.closed or self._transport is None:
            return
        if not self._before_write():
            self.end()
            return
        self._transport.write(b"".join(outbox))

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        position = 0
        waiting = self._waiting
        try:
            while position < len(data):
                reply, position = resp.parse(data, position)
                _, future = waiting.popleft()
                if future is not None and not future.done():
                    if isinstance(reply, resp.RedisRefused):
                        future.set_exception(reply)
                    else:
                        future.set_result(reply)
        except resp.Incomplete:
            pass
        except (ValueError, IndexError) as nonsense:
            logger.error("Redis: %s", redact(repr(nonsense)))
            self.end()
            return
        self._rest = data[position:]

    def connection_lost(self, exc: Exception | None) -> None:
        self.end()

    def end(self) -> None:
        """Gives the connection up; what waits for a reply will not get one."""
        if self.closed:
            return
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        for _, future in self._waiting:
            if future is not None and not future.done():
                future.set_exception(RedisSilent("Redis gave no reply"))
        self._waiting.clear()

    def _look(self) -> None:
        """Whether the oldest command has waited too long: then the connection is of no use any more."""
        self._timer = None
        if not self._waiting:
            return
        oldest = self._waiting[0]
        now = self._loop.time()
        if oldest[0] > now:
            self._timer = self._loop.call_at(oldest[0], self._look)
        elif oldest is self._overdue:
            self.end()
        else:
            # The loop itself may have stood still: what has arrived meanwhile is read before the second look.
            self._overdue = oldest
            self._timer = self._loop.call_at(now + SECOND_LOOK_S, self._look)


class RedisLink:
    """Calls to Redis over one connection that is made when it is needed and given up when it is silent.

    `before_write()` runs before anything is sent; when it is False nothing is, and the connection is given up.
    """

    def __init__(self, url: str, *, before_write: Callable[[], bool] = lambda: True, name: str = "oneapi-edge") -> None:
        self._address = address(url)
        self._before_write = before_write
        self._name = name
        self._wire: _Wire | None = None
        self._connecting: asyncio.Task[_Wire] | None = None
        self._not_before = 0.0
        self._logged = -_LOG_EVERY_S
        self._closed = False
        self._later: collections.deque[bytes] = collections.deque(maxlen=LATER)

    @property
    def connected(self) -> bool:
        """Whether commands go out at once."""
        return self._wire is not None and not self._wire.closed

    async def call(self, command: bytes) -> Any:
        """One command's reply. Raises RedisAway, RedisSilent, RedisRefused."""
        wire = self._wire
        if wire is None or wire.closed:
            wire = await self._connect()
            if wire.closed:
                # Lost again before we were told of it: nothing more will ever be read from it.
                raise RedisAway("Redis can't be reached")
        future = asyncio.get_running_loop().create_future()
        wire.send(command, future)
        return await future

    def cast(self, command: bytes) -> None:
        """Sends a command whose reply nobody needs. Without a connection it goes with the next one, if that comes soon
        enough: the oldest of too many are dropped."""
        wire = self._wire
        if wire is not None and not wire.closed:
            wire.send(command, None)
            return
        self._later.append(command)
        with contextlib.suppress(RedisAway):
            self._begin_connecting()

    async def load_functions(self) -> None:
        """Loads the function library again: the server lost it. Raises what `call` raises."""
        await self.call(resp.command("FUNCTION", "LOAD", "REPLACE", redis_functions.source()))

    async def close(self) -> None:
        """Ends the connection; no call may follow."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._wire is not None:
            self._wire.end()

    async def _connect(self) -> _Wire:
        """The connection that is being made; many callers wait for the same. Raises RedisAway."""
        connecting = self._begin_connecting()
        try:
            return await asyncio.shield(connecting)
        except (OSError, TimeoutError, RedisSilent, resp.RedisRefused) as failure:
            raise RedisAway("Redis can't be reached") from failure

    def _begin_connecting(self) -> "asyncio.Task[_Wire]":
        loop = asyncio.get_running_loop()
        if self._connecting is None:
            if self._closed or loop.time() < self._not_before:
                raise RedisAway("Redis can't be reached")
            self._connecting = loop.create_task(self._establish(loop), name="redis-connect")
            # Its failure is told to those who wait; when they are all gone, to nobody.
            self._connecting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._connecting

    async def _establish(self, loop: asyncio.AbstractEventLoop) -> _Wire:
        wire = _Wire(loop, self._before_write)
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._open(loop, wire)
            await self._greet(loop, wire)
        except BaseException as failure:
            wire.end()
            self._not_before = loop.time() + PAUSE_S
            if isinstance(failure, Exception) and loop.time() - self._logged > _LOG_EVERY_S:
                self._logged = loop.time()
                logger.warning("Redis can't be reached: %s", redact(repr(failure)))
            raise
        else:
            self._wire = wire
            while self._later:
                wire.send(self._later.popleft(), None)
            return wire
        finally:
            self._connecting = None

    async def _open(self, loop: asyncio.AbstractEventLoop, wire: _Wire) -> None:
        where = self._address
        if where.path:
            await loop.create_unix_connection(lambda: wire, where.path)
            return
        context = ssl.create_default_context() if where.tls else None
        await loop.create_connection(lambda: wire, where.host, where.port, ssl=context)

    async def _greet(self, loop: asyncio.AbstractEventLoop, wire: _Wire) -> None:
        """Logs in, takes the database, and sees to it that the function library is there, and new enough."""
        where = self._address

        async def ask(*parts: str) -> Any:
            future = loop.create_future()
            wire.send(resp.command(*parts), future)
            return await future

        if where.password:
            await ask("AUTH", *([where.user] if where.user else []), where.password)
        if where.database != "0":
            await ask("SELECT", where.database)
        await ask("CLIENT", "SETNAME", self._name)
        library = redis_functions.source()
        try:
            present = int(await ask("FCALL", "oneapi_version", "0"))
        except resp.RedisRefused as refusal:
            if redis_functions.MISSING_FUNCTION not in str(refusal):
                raise
            present = 0
        if present < redis_functions.version(library):
            await ask("FUNCTION", "LOAD", "REPLACE", library)
