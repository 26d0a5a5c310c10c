"""Makes what was written durable, a group at a time, in a thread of its own.

It decides when to call fdatasync: 10 ms after the first record of a group, however many come (a group that ends sooner
under load costs more in switching between threads than all the rest of the money path). It must not know what is in the
files. A failed sync is final: the kernel may have dropped the pages, so nothing is tried again on that file.
"""

import logging
import os
import queue
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

INTERVAL_S = 0.01

Later = Callable[[float, Callable[[], None]], object]
"""Calls a function in the writing thread after so many seconds."""


class GroupSync:
    """The syncing thread. `durable` is the offset up to which everything has reached the disk; `failure` ends it all.

    All methods are for the one thread that writes.
    """

    def __init__(self, directory_fd: int, fd: int, end: int, later: Later) -> None:
        self.durable = end
        self.failure = ""
        self._directory_fd = directory_fd
        self._later = later
        self._lock = threading.Lock()
        self._head = (fd, end)
        self._retired: list[int] = []
        self._directory_changed = True
        self._due = False
        self._work: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="spool-sync", daemon=True)
        self._thread.start()

    def appended(self, end: int) -> None:
        """Says that the current file now reaches to `end`."""
        self._head = (self._head[0], end)
        if not self._due:
            self._due = True
            self._later(INTERVAL_S, self._begin)

    def retire(self, fd: int) -> None:
        """Goes over to a new file; the old one is synced and closed by the thread."""
        with self._lock:
            old, end = self._head
            self._retired.append(old)
            self._head = (fd, end)
            self._directory_changed = True

    def close(self) -> None:
        """Syncs what is left and ends the thread; the current file stays open."""
        self._work.put(False)
        self._thread.join()

    def _begin(self) -> None:
        # First, so that a record that comes while the thread works starts the next group.
        self._due = False
        self._work.put(True)

    def _run(self) -> None:
        more = True
        while more and not self.failure:
            more = self._work.get()
            try:
                self._sync()
            except OSError as failure:
                self.failure = failure.strerror or repr(failure)
                logger.critical("the spool can't be synced to disk: %s", self.failure)

    def _sync(self) -> None:
        with self._lock:
            fd, end = self._head
            retired, self._retired = self._retired, []
            directory_changed, self._directory_changed = self._directory_changed, False
        if end == self.durable and not retired and not directory_changed:
            return
        for old in retired:
            os.fdatasync(old)
            os.close(old)
        os.fdatasync(fd)
        if directory_changed:
            os.fsync(self._directory_fd)
        self.durable = end
