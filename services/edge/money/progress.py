"""How much of each open stream was delivered, in a mapped file: exact when the process is killed at any instant.

It decides where a stream's count lies. A count is one machine word in the page cache, so keeping it costs no system
call, and a killed process leaves it as it was. It isn't synced to disk: for a loss of power the spool has checkpoints.
It must not know what is counted.
"""

import mmap
import os
from pathlib import Path

SLOTS = 16_384
_WORDS = 2
_WORD_BYTES = 8


class Progress:
    """Slots of two words: the ticket (a spool offset, plus one; 0 is free) and the count. Raises OSError when made."""

    def __init__(self, path: Path, slots: int = SLOTS) -> None:
        size = slots * _WORDS * _WORD_BYTES
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # The room is taken now: a mapped page without a block behind it would kill the process when it is written.
            os.posix_fallocate(fd, 0, size)
            self._map = mmap.mmap(fd, size)
        finally:
            os.close(fd)
        self._words = memoryview(self._map).cast("Q")
        self._slots = slots
        self._free: list[int] = []
        self._unused = slots  # until `reset`, what is there is the last process's

    def left_behind(self) -> dict[int, int]:
        """Counts by ticket, as the last process left them."""
        words = self._words
        return {words[place] - 1: words[place + 1] for place in range(0, len(words), _WORDS) if words[place]}

    def reset(self) -> None:
        """Forgets what the last process left, and gives the slots out from now on."""
        self._map[:] = bytes(len(self._map))
        self._free = []
        self._unused = 0

    def take(self, ticket: int) -> int:
        """A slot for this ticket with count 0, or -1 when all are taken."""
        if self._free:
            slot = self._free.pop()
        elif self._unused < self._slots:
            slot = self._unused
            self._unused += 1
        else:
            return -1
        place = slot * _WORDS
        # The count first: the old ticket is finished, the new one must not be seen with the old count.
        self._words[place + 1] = 0
        self._words[place] = ticket + 1
        return slot

    def put(self, slot: int, count: int) -> None:
        """Sets a slot's count."""
        self._words[slot * _WORDS + 1] = count

    def give_back(self, slot: int) -> None:
        """Frees a slot."""
        self._words[slot * _WORDS] = 0
        self._free.append(slot)

    def close(self) -> None:
        """Unmaps the file."""
        self._words.release()
        self._map.close()
