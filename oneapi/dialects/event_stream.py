"""Amazon's event stream encoding as a framing: binary messages with headers and two checksums.

    message := total_length:u32 headers_length:u32 crc(prelude):u32 headers payload crc(message):u32
    header  := name_length:u8 name type:u8 value

Source: AWS, "Event stream encoding" (`application/vnd.amazon.eventstream`). A message's data is one JSON object with
one field, as the union that it is in Amazon's service models: the event's name and its payload. An exception is a field
of its own name, and an error without a payload is the field `error`. It must not know what the payloads mean.
"""

import re
import struct
import zlib

import msgspec

from oneapi.dialects.sse import MAX_EVENT_BYTES

MAX_MESSAGE_BYTES = MAX_EVENT_BYTES
MAX_HEADER_BYTES = 128 * 1024
ERROR = "error"

_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
_FRAME_BYTES = _PRELUDE.size + _CHECKSUM.size
_TEXT = 7
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Lengths of the values of a type: booleans, whole numbers, a time, a UUID."""
_COUNTED = (6, _TEXT)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,127}")
_NAMED = {"event": ":event-type", "exception": ":exception-type"}


class Unreadable(ValueError):
    """The bytes are no message; the text says why."""


class EventStreamFraming:
    """See `Framing`."""

    __slots__ = ("_tail", "broken")

    def __init__(self) -> None:
        self.broken = False
        self._tail = bytearray()

    @property
    def pending(self) -> int:
        """See `Framing`."""
        return len(self._tail)

    def feed(self, data: bytes) -> list[bytes]:
        """See `Framing`."""
        found: list[bytes] = []
        if self.broken:
            return found
        tail = self._tail
        tail += data
        at = 0
        try:
            while len(tail) - at >= _PRELUDE.size:
                total, header_bytes = _prelude(tail, at)
                if len(tail) - at < total:
                    break
                found.append(_read(bytes(tail[at : at + total]), header_bytes))
                at += total
        except Unreadable:
            self.broken = True
            tail.clear()
            return found
        del tail[:at]
        return found

    def end(self) -> list[bytes]:
        """See `Framing`. What isn't whole says nothing."""
        self._tail.clear()
        return []


def _prelude(tail: bytearray, at: int) -> tuple[int, int]:
    """How long the message that begins here is, and its headers."""
    total, header_bytes, checksum = _PRELUDE.unpack_from(tail, at)
    if zlib.crc32(tail[at : at + 8]) != checksum:
        raise Unreadable("the prelude's checksum is wrong")
    if not _FRAME_BYTES <= total <= MAX_MESSAGE_BYTES:
        raise Unreadable(f"a message of {total} bytes")
    if header_bytes > min(total - _FRAME_BYTES, MAX_HEADER_BYTES):
        raise Unreadable(f"headers of {header_bytes} bytes")
    return total, header_bytes


def _read(message: bytes, header_bytes: int) -> bytes:
    """The data of a whole message."""
    (checksum,) = _CHECKSUM.unpack_from(message, len(message) - _CHECKSUM.size)
    if zlib.crc32(message[: -_CHECKSUM.size]) != checksum:
        raise Unreadable("the message's checksum is wrong")
    start = _PRELUDE.size + header_bytes
    headers = read_headers(message[_PRELUDE.size : start])
    kind = headers.get(":message-type", "event")
    if kind == ERROR:
        told = {"code": headers.get(":error-code", ""), "message": headers.get(":error-message", "")}
        return msgspec.json.encode({ERROR: told})
    name = headers.get(_NAMED.get(kind, ""), "")
    payload = message[start : -_CHECKSUM.size] or b"{}"
    if not _NAME.fullmatch(name) or payload[:1] != b"{" or payload[-1:] != b"}":
        raise Unreadable("a message without a name, or no object in it")
    return b'{"' + name.encode() + b'":' + payload + b"}"


def read_headers(data: bytes) -> dict[str, str]:
    """The headers that are texts. Raises Unreadable."""
    found: dict[str, str] = {}
    at, end = 0, len(data)
    try:
        while at < end:
            name_end = at + 1 + data[at]
            name, kind, at = data[at + 1 : name_end], data[name_end], name_end + 1
            if kind in _COUNTED:
                (size,) = _LENGTH.unpack_from(data, at)
                at += _LENGTH.size
            else:
                size = _FIXED[kind]
            if at + size > end:
                raise Unreadable("a header that isn't whole")
            if kind == _TEXT:
                found[name.decode()] = data[at : at + size].decode()
            at += size
    except (IndexError, KeyError, struct.error, UnicodeDecodeError):
        raise Unreadable("headers that can't be read") from None
    return found
