"""The bytes of the spool: how a record lies in a segment, and what is a torn tail and what is damage.

It decides the format. It must not know what the records mean, nor who reads them. An offset counts the bytes of the
whole spool since it was made; a segment is the file that begins at the offset in its name.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HEADER = struct.Struct("<IIB")
"""Length of the payload, CRC-32 of length, kind and payload, kind."""
HEADER_BYTES = HEADER.size
LARGEST_PAYLOAD = 4 * 1024 * 1024
SMALLEST_KIND, LARGEST_KIND = 1, 31

_CHECKED = struct.Struct("<IB")
_NAME = re.compile(r"(\d{20})\.spool")


class Record(NamedTuple):
    """One record: where it begins and ends in the spool, its kind, and what is in it."""

    offset: int
    end: int
    kind: int
    payload: bytes


class SpoolCorrupt(Exception):
    """The spool holds something that was never written so. Nothing is guessed: an operator must look at it."""


def encode(kind: int, payload: bytes) -> bytes:
    """The bytes of one record. Kinds are 1 to 31; a payload has at most 4 MiB."""
    length = len(payload)
    return HEADER.pack(length, zlib.crc32(payload, zlib.crc32(_CHECKED.pack(length, kind))), kind) + payload


def decode(data: bytes | memoryview, position: int) -> tuple[int, int, int] | None:
    """Kind, and where the payload begins and ends, of the record at `position`; None when none is whole and sound."""
    start = position + HEADER_BYTES
    if start > len(data):
        return None
    length, checksum, kind = HEADER.unpack_from(data, position)
    end = start + length
    if not SMALLEST_KIND <= kind <= LARGEST_KIND or length > LARGEST_PAYLOAD or end > len(data):
        return None
    if zlib.crc32(data[start:end], zlib.crc32(_CHECKED.pack(length, kind))) != checksum:
        return None
    return kind, start, end


def records(data: bytes, position: int, base: int) -> Iterator[Record]:
    """The sound records of a segment's bytes, from a position on, up to the end or to what isn't sound."""
    view = memoryview(data)
    while (found := decode(view, position)) is not None:
        kind, start, end = found
        yield Record(base + position, base + end, kind, data[start:end])
        position = end


def chosen(data: bytes, base: int, kinds: frozenset[int]) -> tuple[list[Record], int]:
    """The sound records of some kinds, and the offset up to which the bytes hold whole records. The others are passed
    over unread. Stops at what isn't whole or isn't sound."""
    found: list[Record] = []
    position, size = 0, len(data)
    unpack = HEADER.unpack_from
    while position + HEADER_BYTES <= size:
        length, _, kind = unpack(data, position)
        end = position + HEADER_BYTES + length
        if end > size or not SMALLEST_KIND <= kind <= LARGEST_KIND:
            break
        if kind in kinds:
            if decode(data, position) is None:
                break
            found.append(Record(base + position, base + end, kind, data[position + HEADER_BYTES : end]))
        position = end
    return found, base + position


def sound_after(data: bytes, position: int) -> bool:
    """Whether a sound record begins anywhere after `position`: then what is unsound before it is no torn tail."""
    view = memoryview(data)
    return any(decode(view, place) is not None for place in range(position + 1, len(data) - HEADER_BYTES + 1))


def file_name(base: int) -> str:
    """Name of the segment that begins at this offset."""
    return f"{base:020d}.spool"


def bases(directory: Path) -> list[int]:
    """Offsets at which the segments in a directory begin, in order."""
    return sorted(int(found[1]) for path in directory.iterdir() if (found := _NAME.fullmatch(path.name)))
