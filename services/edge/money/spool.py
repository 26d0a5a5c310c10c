"""The spool: everything an edge promises about money, appended to files before it acts on the promise.

It decides where records go, what is durable, what was shipped, when there is no room left, and what is thrown away. It
must not know what the records mean. One process owns a spool; the folder outlives it.

Appended records are written together: at the next `flush`, which whoever is about to act on them calls, and which
otherwise comes at the end of the loop's turn. A process that is killed loses nothing that was flushed.
"""

import bisect
import contextlib
import errno
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from services.edge.money import segments, spool_folder
from services.edge.money.group_sync import GroupSync, Later
from services.edge.money.segments import Record, SpoolCorrupt
from services.edge.money.spool_folder import Cursor, CursorFile

logger = logging.getLogger(__name__)

SEGMENT_BYTES = 64 * 1024 * 1024
DEFAULT_MAX_BYTES = 10 * 1024 * 1024 * 1024
KEEP_SHIPPED_S = 24 * 3600.0
ALARM_SHARE, FULL_SHARE = 0.80, 0.95
MIN_FREE_BYTES = 64 * 1024 * 1024
READ_BYTES = 256 * 1024
BEGIN = 1
"""Kind of a segment's first record: which spool it belongs to."""


class SpoolUnavailable(Exception):
    """Nothing can be appended. `str()` says why."""


class Spool:
    """An open spool. Offsets only grow: `cursor.shipped` <= `durable` <= `end`.

    Everything but `recover` is for the event loop's thread; a write takes a few microseconds.
    """

    def __init__(
        self,
        directory: Path,
        *,
        edge_id: str = "",
        max_bytes: int = DEFAULT_MAX_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        min_free_bytes: int = MIN_FREE_BYTES,
        later: Later = lambda _delay_s, call: call(),
    ) -> None:
        """Takes the folder's lock and reads where things stand. Raises SpoolLocked, SpoolCorrupt, OSError.

        `later` is the event loop's `call_later`; without one everything is done at once.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.directory = directory
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._min_free_bytes = min_free_bytes
        self._lock_fd = spool_folder.lock(directory)
        self._bases = segments.bases(directory)
        try:
            self.identity = spool_folder.identity(directory, edge_id, new=not self._bases)
        except BaseException:
            os.close(self._lock_fd)
            raise
        self._directory_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        self._cursor_file = CursorFile(directory)
        self.cursor = self._cursor_file.read(self._bases[0] if self._bases else 0)
        self._write_failure = ""
        self._reader: tuple[int, int] | None = None
        self._fd = -1
        self._sync: GroupSync | None = None
        self._buffer: list[bytes] = []
        self._written = 0
        self.end = 0
        self.room_problem = ""
        self._later = later

    # Start and end -----------------------------------------------------------------------------------------------

    def recover(self) -> Iterator[Record]:
        """Everything from the oldest open request on; cuts a torn tail off. May run in any thread.

        To be run to its end, and `begin` after it. Raises SpoolCorrupt at what is no torn tail.
        """
        first = min(self.cursor.floor, self.cursor.shipped)
        expected = self._bases[0] if self._bases else 0
        for base in self._bases:
            if base != expected:
                raise SpoolCorrupt(f"the spool has no segment that begins at {expected}, the next begins at {base}")
            path = self._path(base)
            size = path.stat().st_size
            last = base == self._bases[-1]
            expected = base + size
            if not last and expected <= first:
                continue
            data = path.read_bytes()
            position = max(first - base, 0)
            for record in segments.records(data, position, base):
                position = record.end - base
                if record.kind != BEGIN:
                    yield record
            if position < size:
                self._cut(path, data, position, base, last=last)
                expected = base + position
        if max(self.cursor.shipped, self.cursor.pending) > expected:
            raise SpoolCorrupt(f"the spool ends at {expected}, before what was shipped of it ({self.cursor.shipped})")
        self.end = expected

    def begin(self) -> None:
        """From now on the spool can be appended to. Raises OSError."""
        end = self.end
        if self._bases and end > self._bases[-1]:
            self._fd = os.open(self._path(self._bases[-1]), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            # What a killed process wrote last may not be on the disk yet, and from here on it counts as durable.
            os.fdatasync(self._fd)
        else:
            if not self._bases or self._bases[-1] != end:
                self._bases.append(end)
            self._fd = self._create(end)
        self._written = self.end
        self._sync = GroupSync(self._directory_fd, self._fd, end, self._later)
        self._sync.appended(self.end)
        self.tidy()

    def close(self) -> None:
        """Syncs and gives the folder free. What was appended stays for the next owner."""
        if self._sync is not None:
            self.flush_quietly()
            self._sync.close()
            self._sync = None
        self._cursor_file.close()
        for fd in (self._fd, self._directory_fd, self._lock_fd, *(self._reader or ())[1:]):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._reader, self._fd = None, -1

    # Writing -----------------------------------------------------------------------------------------------------

    def append(self, kind: int, payload: bytes) -> int:
        """Appends one record and returns its offset; it is safe after the next `flush`.

        A full disk doesn't stop it, so that what has begun can be ended: the record waits in memory. Raises
        SpoolUnavailable when the spool is closed or suspect.
        """
        if self._sync is None or self._sync.failure:
            raise SpoolUnavailable(self.trouble)
        record = segments.encode(kind, payload)
        offset = self.end
        self.end = offset + len(record)
        self._buffer.append(record)
        if len(self._buffer) == 1:
            self._later(0, self.flush_quietly)
        return offset

    def flush(self) -> None:
        """Writes what was appended. Raises SpoolUnavailable when the disk takes it not; then all of it still waits."""
        buffer = self._buffer
        if not buffer:
            return
        sync = self._sync
        if sync is None or sync.failure:
            raise SpoolUnavailable(self.trouble)
        data = buffer[0] if len(buffer) == 1 else b"".join(buffer)
        try:
            if os.write(self._fd, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as failure:
            self._undo(sync, failure)
            raise SpoolUnavailable(self.trouble) from failure
        self._write_failure = ""
        self._written = self.end
        sync.appended(self.end)
        self._buffer = []
        if self._written - self._bases[-1] >= self._segment_bytes:
            self._roll(sync)

    def flush_quietly(self) -> None:
        """As `flush`, for when nobody waits for it: what fails is tried again at the next one."""
        if self._buffer:
            with contextlib.suppress(SpoolUnavailable):
                self.flush()

    @property
    def durable(self) -> int:
        """Everything before this offset has reached the disk."""
        return self._sync.durable if self._sync is not None else 0

    @property
    def suspect(self) -> bool:
        """Whether the disk failed to keep what it was given: this process must end; the next reads what is there."""
        return self._sync is not None and bool(self._sync.failure)

    @property
    def trouble(self) -> str:
        """Why no new request may rely on the spool, "" when all is well."""
        if self._sync is None:
            return "the spool isn't open"
        if self._sync.failure:
            return f"the spool is suspect: {self._sync.failure}"
        return self._write_failure or self.room_problem

    # Reading and shipping ----------------------------------------------------------------------------------------

    def read(self, offset: int, limit: int, kinds: frozenset[int]) -> tuple[list[Record], int]:
        """Records of some kinds from an offset on, and how far they reach: a part of what is durable before `limit`.

        Raises SpoolCorrupt, OSError.
        """
        limit = min(limit, self.durable)
        if offset >= limit:
            return [], offset
        base = self._bases[bisect.bisect_right(self._bases, offset) - 1]
        if self._reader is None or self._reader[0] != base:
            if self._reader is not None:
                os.close(self._reader[1])
            self._reader = (base, os.open(self._path(base), os.O_RDONLY | os.O_CLOEXEC))
        want = READ_BYTES
        while True:
            data = os.pread(self._reader[1], min(want, limit - offset), offset - base)
            found, reach = segments.chosen(data, offset, kinds)
            if reach > offset:
                return found, reach
            if len(data) < want or want > READ_BYTES:
                raise SpoolCorrupt(f"the spool can't be read at {offset}")
            want = segments.LARGEST_PAYLOAD + segments.HEADER_BYTES

    def move(self, *, shipped: int, pending: int, floor: int) -> None:
        """Files how far shipping is. Only after the bus has confirmed everything before `shipped`."""
        self.cursor = Cursor(shipped, pending, floor)
        self._cursor_file.write(self.cursor)

    # Room --------------------------------------------------------------------------------------------------------

    @property
    def bytes_kept(self) -> int:
        """Size of everything in the spool."""
        return self.end - self._bases[0] if self._bases else 0

    def tidy(self, now: float | None = None) -> None:
        """Throws away segments that were shipped a day ago (sooner when room is short), and looks how much is left."""
        now = time.time() if now is None else now
        free_from = min(self.cursor.shipped, self.cursor.floor)
        while len(self._bases) > 1 and self._bases[1] <= free_from:
            path = self._path(self._bases[0])
            short = self.bytes_kept > ALARM_SHARE * self._max_bytes
            if not short and now - path.stat().st_mtime < KEEP_SHIPPED_S:
                break
            if self._reader is not None and self._reader[0] == self._bases[0]:
                os.close(self._reader[1])
                self._reader = None
            path.unlink()
            del self._bases[0]
        space = os.statvfs(self.directory)
        free = space.f_bavail * space.f_frsize
        share = self.bytes_kept / self._max_bytes
        problem = ""
        if share >= FULL_SHARE:
            problem = f"the spool is full: {self.bytes_kept} of {self._max_bytes} bytes wait to be shipped"
        elif free < self._min_free_bytes:
            problem = f"the spool's disk is full: {free} bytes are free"
        elif share >= ALARM_SHARE:
            logger.warning("the spool fills up", extra={"fields": {"bytes": self.bytes_kept, "of": self._max_bytes}})
        if problem and not self.room_problem:
            logger.error(problem)
        self.room_problem = problem
        if not self._buffer:
            # The next record finds out whether the disk takes writes again.
            self._write_failure = ""

    # Inside ------------------------------------------------------------------------------------------------------

    def _path(self, base: int) -> Path:
        return self.directory / segments.file_name(base)

    def _cut(self, path: Path, data: bytes, position: int, base: int, *, last: bool) -> None:
        """Cuts a torn tail off, if it is one: nothing sound follows it, and nothing of it was ever shipped."""
        shipped = max(self.cursor.shipped, self.cursor.pending)
        if not last or base + position < shipped or segments.sound_after(data, position):
            raise SpoolCorrupt(f"{path} is damaged at byte {position}")
        logger.warning("the spool had a torn tail", extra={"fields": {"bytes": len(data) - position}})
        with path.open("r+b") as file:
            file.truncate(position)
            os.fsync(file.fileno())

    def _create(self, base: int) -> int:
        """A new segment with its first record, which moves the end. Raises OSError; then there is none."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        fd = os.open(self._path(base), flags, 0o600)
        head = segments.encode(BEGIN, msgspec.json.encode(self.identity))
        try:
            os.ftruncate(fd, 0)
            if os.write(fd, head) != len(head):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.close(fd)
            self._path(base).unlink()
            raise
        self.end = base + len(head)
        return fd

    def _roll(self, sync: GroupSync) -> None:
        """Begins a new segment; while the disk has no room for one, the old one grows on."""
        base = self.end
        try:
            fd = self._create(base)
        except OSError as failure:
            self._fail(failure)
            return
        self._bases.append(base)
        self._fd = fd
        self._written = self.end
        sync.retire(fd)
        sync.appended(self.end)

    def _undo(self, sync: GroupSync, failure: OSError) -> None:
        """Takes back what was half written, so that what follows stays readable."""
        self._fail(failure)
        try:
            os.ftruncate(self._fd, self._written - self._bases[-1])
        except OSError as worse:
            sync.failure = worse.strerror or repr(worse)

    def _fail(self, failure: OSError) -> None:
        if not self._write_failure:
            logger.error("the spool can't be written: %s", failure)
        self._write_failure = f"the spool can't be written: {failure.strerror}"
