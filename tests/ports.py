"""Loopback ports for the servers of a test, which start a moment after their ports were chosen.

No two processes of one run choose the same port, and nothing that runs in it does: the stack's own choices lie above
these, and so do the ports of outgoing connections.
"""

import os
import random
import socket
from contextlib import ExitStack

from oneapi.stack import ports

LOWEST = 10_000
SECTIONS = 4
SECTION = (ports.LOWEST - LOWEST) // SECTIONS


class _Section:
    """Goes round one process's part of the range, from somewhere in it: a port that was just left is not the next."""

    def __init__(self, worker: str) -> None:
        self._first = LOWEST + int(worker.removeprefix("gw")) % SECTIONS * SECTION
        self._offset = random.randrange(SECTION)

    def row(self, count: int) -> range:
        if self._offset + count > SECTION:
            self._offset = 0
        first = self._first + self._offset
        self._offset += count
        return range(first, first + count)


_section = _Section(os.environ.get("PYTEST_XDIST_WORKER", "gw3"))


def free_ports(count: int) -> range:
    """`count` ports in a row that were free a moment ago, and that nobody else in this run will choose."""
    while True:
        row = _section.row(count)
        with ExitStack() as held:
            try:
                for port in row:
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return row


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]
