"""Where new connections wait until the head of their first request has come.

A connection is only a socket here: nothing is read from it and nothing is made for it, so that those who send a head
byte by byte, or nothing at all, cost next to nothing. It decides when a connection goes on to the protocol, and how
those end that never get so far: by the deadline, or the oldest first when too many wait. It must not know what a head
says beyond its target.
"""

import asyncio
import contextlib
import errno
import logging
import select
import socket
from collections import OrderedDict, deque
from collections.abc import Callable

from oneapi.dialects.errors import GatewayError
from oneapi.runtime.door import refusals
from oneapi.runtime.door.answers import Render
from oneapi.runtime.door.limits import DoorLimits

logger = logging.getLogger(__name__)

ACCEPTED_AT_ONCE = 256
EVENTS_AT_ONCE = 1024
FIRST_MOMENT_S = 1.0
"""So young a connection never has to give way: its head may be on its way."""
LINGER_S = 1.0
CROWD, GLANCE_S = 64, 0.02
"""With more than so many waiting, who and what has come is looked at so often, and not at once."""
SLOW_LOOKS, SLOW_GLANCE_S = 3, 4.0
"""In a crowd, a head that has come in more than so many pieces, or in more than one and over more than a moment, is
looked at as seldom as this."""
TOLD_AMONG = 1_024
"""While more than so many wait, those whose time is up are cut without a word: telling them is a third of the cost."""
TICK_S = 0.05
"""What is due sooner is done together."""
OUT_OF_RESOURCES_S = 1.0
_NO_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ENDED = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class _Waiting:
    """A connection without a head. `looks` counts how often something has come, `again_s` is when a slow one is looked
    at again."""

    __slots__ = ("again_s", "connection", "looks", "since_s")

    def __init__(self, connection: socket.socket, since_s: float) -> None:
        self.connection = connection
        self.since_s = since_s
        self.looks = 0
        self.again_s = 0.0


class Lobby:
    """Accepts the connections of one listening socket. `enter` takes over those that have a head; `most` may wait."""

    def __init__(
        self,
        listener: socket.socket,
        enter: Callable[[socket.socket], None],
        limits: DoorLimits,
        most: int,
        render: Render,
    ) -> None:
        self._listener = listener
        self._enter = enter
        self._limits = limits
        self._most = most
        self._render = render
        self._loop = asyncio.get_running_loop()
        self._events = select.epoll()
        self._room = memoryview(bytearray(limits.header_bytes + 1))
        # A plain dict would look for its first entry among all that have gone.
        self._waiting: OrderedDict[int, _Waiting] = OrderedDict()
        self._slow: deque[_Waiting] = deque()
        self._leaving: deque[_Waiting] = deque()
        self._deadline: asyncio.TimerHandle | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._glance: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """From now on connections are accepted."""
        self._loop.add_reader(self._listener.fileno(), self._accept)
        self._loop.add_reader(self._events.fileno(), self._look_around)

    def close(self) -> None:
        """Accepts no more, and ends those that wait."""
        if self._events.closed:
            return
        for timer in (self._pause, self._glance, self._deadline):
            if timer is not None:
                timer.cancel()
        self._loop.remove_reader(self._listener.fileno())
        self._loop.remove_reader(self._events.fileno())
        for waiting in (*self._waiting.values(), *self._leaving):
            waiting.connection.close()
        self._waiting.clear()
        self._slow.clear()
        self._leaving.clear()
        self._events.close()

    def __len__(self) -> int:
        return len(self._waiting)

    def _accept(self) -> None:
        """Takes who stands before the door: each by itself would wait for a turn of the loop."""
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as failure:
                if failure.errno in _NO_RESOURCES:
                    self._stand_back()
                    return
                continue  # it left at once
            connection.setblocking(False)
            waiting = _Waiting(connection, self._loop.time())
            if not self._goes_on(waiting):
                self._seat(waiting)

    def _stand_back(self) -> None:
        """No descriptor is left: the oldest who only waits gives up its own, or all have to wait outside."""
        if self._waiting:
            self._show_out(next(iter(self._waiting.values())))
            return
        logger.warning("no descriptor is left for new connections")
        self._loop.remove_reader(self._listener.fileno())
        self._pause = self._loop.call_later(
            OUT_OF_RESOURCES_S, self._loop.add_reader, self._listener.fileno(), self._accept
        )

    def _seat(self, waiting: _Waiting) -> None:
        if len(self._waiting) >= self._most:
            oldest = next(iter(self._waiting.values()))
            if waiting.since_s - oldest.since_s < FIRST_MOMENT_S:
                waiting.connection.close()
                return
            self._show_out(oldest)
        descriptor = waiting.connection.fileno()
        self._waiting[descriptor] = waiting
        # By edges: what has come once and is not read would be told for ever.
        self._events.register(descriptor, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
        if self._deadline is None:
            self._deadline = self._loop.call_later(self._limits.header_s, self._on_deadline)

    def _look_around(self) -> None:
        for descriptor, event in self._events.poll(0, EVENTS_AT_ONCE):
            waiting = self._waiting.get(descriptor)
            if waiting is None:
                continue
            waiting.looks += 1
            if self._goes_on(waiting):
                self._forget(descriptor)
            elif event & _ENDED:
                self._show_out(waiting)
            elif waiting.looks > self._limits.head_pieces:
                self._turn_away(waiting, self._render_once(refusals.headers_too_large()))
            elif self._glance is not None and self._is_slow(waiting):
                self._slow_down(waiting, descriptor)
        self._look_at_slow()
        if self._glance is not None:
            self._accept()
        self._look_again()

    def _is_slow(self, waiting: _Waiting) -> bool:
        young = self._loop.time() - waiting.since_s < FIRST_MOMENT_S
        return waiting.looks > (SLOW_LOOKS if young else 1)

    def _slow_down(self, waiting: _Waiting, descriptor: int) -> None:
        """Nobody tells us any more when something comes."""
        self._events.modify(descriptor, 0)
        waiting.again_s = self._loop.time() + SLOW_GLANCE_S
        self._slow.append(waiting)

    def _look_at_slow(self) -> None:
        """Those whose time has come."""
        now_s = self._loop.time()
        while self._slow and self._slow[0].again_s <= now_s:
            waiting = self._slow.popleft()
            descriptor = waiting.connection.fileno()
            if self._waiting.get(descriptor) is not waiting:
                continue  # it is gone
            if self._goes_on(waiting):
                self._forget(descriptor)
            else:
                waiting.again_s = now_s + SLOW_GLANCE_S
                self._slow.append(waiting)

    def _look_again(self) -> None:
        """At once when something or somebody comes; in a crowd now and then, or each byte of each would wake us."""
        if len(self._waiting) > CROWD or self._slow:
            if self._glance is None:
                self._loop.remove_reader(self._listener.fileno())
                self._loop.remove_reader(self._events.fileno())
            self._glance = self._loop.call_later(GLANCE_S, self._look_around)
        elif self._glance is not None:
            self._glance = None
            self.open()

    def _goes_on(self, waiting: _Waiting) -> bool:
        """Whether the connection waits here no longer: the protocol has it, or it is closed."""
        head = _peek(waiting.connection, self._room)
        if head is None:
            return False
        if not head:
            waiting.connection.close()
            return True
        if not _is_ready(head.lstrip(b"\r\n"), self._limits.header_bytes):
            return False
        self._enter(waiting.connection)
        return True

    def _on_deadline(self) -> None:
        """All have the same time, so that the first to come is the first to go."""
        now_s = self._loop.time()
        while self._leaving and self._leaving[0].since_s + LINGER_S <= now_s:
            self._leaving.popleft().connection.close()
        answer = self._render_once(refusals.request_timeout())
        while self._waiting:
            oldest = next(iter(self._waiting.values()))
            if oldest.since_s + self._limits.header_s > now_s:
                break
            if len(self._waiting) > TOLD_AMONG:
                self._show_out(oldest)
            else:
                self._turn_away(oldest, answer)
        self._deadline = None
        due_s = []
        if self._leaving:
            due_s.append(self._leaving[0].since_s + LINGER_S)
        if self._waiting:
            due_s.append(next(iter(self._waiting.values())).since_s + self._limits.header_s)
        if due_s:
            self._deadline = self._loop.call_at(max(min(due_s), now_s + TICK_S), self._on_deadline)

    def _render_once(self, error: GatewayError) -> Callable[[bytes], bytes]:
        """Renders this error once for each target. Those that leave together are told in the same words."""
        written: dict[bytes, bytes] = {}

        def answer(target: bytes) -> bytes:
            found = written.get(target)
            if found is None:
                found = written[target] = self._render(target, error)
            return found

        return answer

    def _turn_away(self, waiting: _Waiting, answer: Callable[[bytes], bytes]) -> None:
        """Answers who has begun a request. Its end is put off: closing at once would reset what is on its way."""
        head = _take(waiting.connection)
        if not head:
            self._show_out(waiting)
            return
        self._forget(waiting.connection.fileno())
        target = head.split(b" ", 2)[1] if head.count(b" ") > 1 else b""
        with contextlib.suppress(OSError):
            waiting.connection.send(answer(target))
            waiting.connection.shutdown(socket.SHUT_WR)
        waiting.since_s = self._loop.time()
        self._leaving.append(waiting)

    def _show_out(self, waiting: _Waiting) -> None:
        self._forget(waiting.connection.fileno())
        waiting.connection.close()

    def _forget(self, descriptor: int) -> None:
        del self._waiting[descriptor]
        with contextlib.suppress(OSError):
            self._events.unregister(descriptor)


def _is_ready(head: bytes, most: int) -> bool:
    """Whether the protocol can say something to it: it has an end, proper or not, is too long, or begins like none."""
    return b"\n\r\n" in head or b"\n\n" in head or len(head) > most or (head != b"" and not head[:1].isupper())


def _peek(connection: socket.socket, room: memoryview) -> bytes | None:
    """What has come so far, as far as there is room; None when nothing has, b"" when nothing will."""
    try:
        return bytes(room[: connection.recv_into(room, 0, socket.MSG_PEEK)])
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _take(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except OSError:
        return b""
