"""The form of one entry in the buckets `catalog` and `keys`.

It decides keys and encoding, and must not know who writes or reads them.
"""

import base64
import re
from dataclasses import dataclass

import msgspec
from google.protobuf.message import DecodeError

from oneapi.catalog.types import KINDS
from proto.events.v1.events_pb2 import CatalogChanged

KEY_KIND = "key"
PRICE_KIND = "price"
_SAFE_ID = re.compile(r"[A-Za-z0-9_\-]{1,200}")
_decoders = {kind: msgspec.json.Decoder(kind_type) for kind, kind_type in KINDS.items()}


class BadEntry(Exception):
    """Bytes or a key that are no entry of the catalog."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `value` is the kind's type of `oneapi.catalog.types`, None when `deleted`.

    A `key` entry's id is the hash under which it is filed, not the id of the key.
    """

    kind: str
    id: str
    revision: int
    deleted: bool
    value: msgspec.Struct | None
    traceparent: str = ""
    changed_at_ms: int = 0


def price_id(model: str, channel_id: str = "") -> str:
    """The entry id of a price: a model's, or its price on one channel."""
    return f"{model}\n{channel_id}"


def kv_key(kind: str, id: str) -> str:  # noqa: A002 - the entry's own word
    """The bucket's key: `<kind>.<id>`, a price's id in base64url, and a relay key's hash alone. Raises ValueError."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not a kind of the catalog")
    if kind == PRICE_KIND:
        return f"{kind}.{base64.urlsafe_b64encode(id.encode()).rstrip(b'=').decode()}"
    if not _SAFE_ID.fullmatch(id):
        raise ValueError("an id may hold letters, digits, _ and - only")
    return id if kind == KEY_KIND else f"{kind}.{id}"


def parse_kv_key(key: str) -> tuple[str, str]:
    """Kind and id of a bucket's key. Raises BadEntry."""
    kind, dot, rest = key.partition(".")
    if not dot:
        return KEY_KIND, key
    if kind not in KINDS:
        raise BadEntry(f"{kind!r} is not a kind of the catalog")
    if kind != PRICE_KIND:
        return kind, rest
    try:
        return kind, base64.urlsafe_b64decode(rest + "=" * (-len(rest) % 4)).decode()
    except ValueError:
        raise BadEntry("the id of a price is malformed") from None


def encode(
    kind: str,
    id: str,  # noqa: A002 - the entry's own word
    revision: int,
    value: msgspec.Struct | None,
    traceparent: str = "",
    changed_at_ms: int = 0,
) -> bytes:
    """The bytes of an entry; None as the value says that it is deleted. Raises ValueError for a wrong kind or type."""
    wanted = KINDS.get(kind)
    if wanted is None or (value is not None and not isinstance(value, wanted)):
        raise ValueError(f"{type(value).__name__} is not the type of kind {kind!r}")
    return CatalogChanged(
        kind=kind,
        id=id,
        revision=revision,
        deleted=value is None,
        payload=b"" if value is None else msgspec.json.encode(value),
        traceparent=traceparent,
        changed_at_ms=changed_at_ms,
    ).SerializeToString(deterministic=True)


def decode(data: bytes) -> Entry:
    """The entry of these bytes. Unknown fields are ignored, so that an older reader survives. Raises BadEntry."""
    message = CatalogChanged()
    try:
        message.ParseFromString(data)
    except DecodeError as failure:
        raise BadEntry(f"not a catalog entry: {failure}") from None
    decoder = _decoders.get(message.kind)
    if decoder is None or not message.id:
        raise BadEntry(f"unknown kind {message.kind!r}")
    value: msgspec.Struct | None = None
    if not message.deleted:
        try:
            value = decoder.decode(message.payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as failure:
            raise BadEntry(f"the payload of {message.kind} {message.id} is malformed: {failure}") from None
    return Entry(
        kind=message.kind,
        id=message.id,
        revision=message.revision,
        deleted=message.deleted,
        value=value,
        traceparent=message.traceparent,
        changed_at_ms=message.changed_at_ms,
    )
