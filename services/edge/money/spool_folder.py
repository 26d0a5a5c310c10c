"""What lies beside the segments in a spool's folder: its lock, its identity, and the cursor of its shipping.

It decides who owns a spool, what it is called, and what survives a damaged cursor. It must not know what segments hold.
"""

import fcntl
import logging
import os
import re
import socket
import struct
import uuid
import zlib
from pathlib import Path

import msgspec

from services.edge.money.segments import SpoolCorrupt

logger = logging.getLogger(__name__)

_CURSOR = struct.Struct("<QQQ")
_CHECKSUM = struct.Struct("<I")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")


class SpoolLocked(Exception):
    """Another process owns this spool."""


class Identity(msgspec.Struct, frozen=True):
    """Whose spool this is. `epoch` is new whenever a spool is made anew, so that its offsets are never confused."""

    edge_id: str
    epoch: str


class Cursor(msgspec.Struct, frozen=True):
    """How far shipping is: everything before `shipped` is in the stream.

    `pending` is the end of the range that was being shipped (equal to `shipped` when none was), `floor` where the
    oldest open request begins.
    """

    shipped: int
    pending: int
    floor: int


def lock(directory: Path) -> int:
    """Takes a folder for this process; the open file that holds it. Raises SpoolLocked."""
    fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as taken:
        os.close(fd)
        raise SpoolLocked(f"another process owns the spool in {directory}") from taken
    return fd


def identity(directory: Path, edge_id: str, *, new: bool) -> Identity:
    """The filed identity, or one that is made now for a new spool. The filed name wins: the records carry it.

    Raises SpoolCorrupt when it is damaged, or missing though the spool isn't new.
    """
    path = directory / "identity.json"
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Identity)
    except FileNotFoundError:
        if not new:
            raise SpoolCorrupt(f"{path} is missing, and there are segments") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as damage:
        raise SpoolCorrupt(f"{path} is damaged") from damage
    else:
        if edge_id and _NOT_IN_NAMES.sub("-", edge_id) != found.edge_id:
            fields = {"edge_id": found.edge_id}
            logger.warning("the spool keeps the name that it was made with", extra={"fields": fields})
        return found
    # Two spools on one host must not answer to one name, and a name must be one token of a bus subject.
    name = edge_id or f"{socket.gethostname()}-{os.urandom(3).hex()}"
    made = Identity(_NOT_IN_NAMES.sub("-", name), str(uuid.uuid4()))
    with path.with_suffix(".new").open("wb") as file:
        file.write(msgspec.json.encode(made))
        file.flush()
        # Without it a loss of power could leave the name with nothing in it, and a spool that nobody may open.
        os.fsync(file.fileno())
    path.with_suffix(".new").rename(path)
    return made


class CursorFile:
    """The cursor on disk. It isn't synced: an older one only ships again what is in the stream already."""

    def __init__(self, directory: Path) -> None:
        self._fd = os.open(directory / "cursor", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def read(self, first: int) -> Cursor:
        """The filed cursor, not before `first`. Without a sound one everything from there is shipped again."""
        data = os.pread(self._fd, _CURSOR.size + _CHECKSUM.size, 0)
        if len(data) == _CURSOR.size + _CHECKSUM.size:
            body = data[: _CURSOR.size]
            if _CHECKSUM.unpack_from(data, _CURSOR.size)[0] == zlib.crc32(body):
                shipped, pending, floor = _CURSOR.unpack(body)
                return Cursor(max(shipped, first), max(pending, first), max(floor, first))
        if data:
            logger.error("the spool's cursor is damaged: all that is kept is shipped again")
        return Cursor(first, first, first)

    def write(self, cursor: Cursor) -> None:
        """Files a cursor. Raises OSError."""
        body = _CURSOR.pack(cursor.shipped, cursor.pending, cursor.floor)
        os.pwrite(self._fd, body + _CHECKSUM.pack(zlib.crc32(body)), 0)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._fd)
