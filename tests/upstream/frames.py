"""Messages of Amazon's event stream encoding, written from its description and not with the gateway's code."""

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any


def text_header(name: str, value: str) -> bytes:
    encoded = value.encode()
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(encoded)) + encoded


def message(headers: bytes, payload: bytes) -> bytes:
    """A message with these headers, and its two checksums."""
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    return prelude + headers + payload + struct.pack(">I", zlib.crc32(prelude + headers + payload))


def frame(name: str, payload: Any, kind: str = "event") -> bytes:
    """An event as Bedrock sends it, or an exception."""
    headers = [(f":{kind}-type", name), (":content-type", "application/json"), (":message-type", kind)]
    return message(_headers(headers), json.dumps(payload, separators=(",", ":")).encode())


def failure(code: str, text: str) -> bytes:
    """An error that no service has modelled."""
    return message(_headers([(":message-type", "error"), (":error-code", code), (":error-message", text)]), b"")


def _headers(pairs: Sequence[tuple[str, str]]) -> bytes:
    return b"".join(text_header(name, value) for name, value in pairs)
