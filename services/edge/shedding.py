"""The answer to requests that come while there is too much to do.

It decides that such an answer costs as little as possible: it is written once a second for each target and then only
given its own request id. It must not know why there is too much to do.
"""

import time
from collections.abc import Callable

from oneapi.runtime.door import refusals
from oneapi.runtime.health import PATHS
from oneapi.runtime.ids import uuid7
from services.edge.answers import REFUSALS, raw_error
from services.edge.load import Load

PLACE_OF_ID = uuid7()
MAX_TARGETS = 64


class Shedding:
    """The door's gate. The connection of who is turned away is kept: a client that comes again on a new one costs
    more than one that waits on its own.
    """

    def __init__(self, load: Load, clock: Callable[[], float] = time.time) -> None:
        self._load = load
        self._clock = clock
        self._second = 0
        self._written: dict[bytes, bytes] = {}
        error = refusals.overloaded()
        self._count = REFUSALS.labels(error.kind, error.status)
        self.arrive = load.arrive

    def shed(self, target: bytes) -> bytes:
        """The whole answer to this raw target when it is turned away, else b""."""
        if not self._load.overloaded or self._load.draining or target in PATHS:
            return b""
        self._count.inc()
        return self._template(target).replace(PLACE_OF_ID.encode(), uuid7().encode())

    def _template(self, target: bytes) -> bytes:
        """One for each path: a query may hold a key, and says nothing here."""
        target = target.partition(b"?")[0]
        second = int(self._clock())
        if second != self._second or len(self._written) >= MAX_TARGETS:
            self._second = second
            self._written.clear()
        found = self._written.get(target)
        if found is None:
            found = self._written[target] = raw_error(target, refusals.overloaded(), PLACE_OF_ID, keep=True)
        return found
