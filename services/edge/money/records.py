"""What an edge writes down about one request, in the order in which it happens.

It decides the kinds of spool records and their contents. It must not know how they are stored. All records of a request
but the first carry its ticket: the offset of the first. FINAL and SYNC carry what goes to the bus, as it goes there.

A request's life is TENT (it is about to be reserved), then DENIED, or OPEN (granted), ATTEMPT and ATTEMPT_DONE for each
upstream call, CHECKPOINT while the answer is delivered, and FINAL. A TENT may be followed by FINAL at once: void.
"""

import struct
from collections.abc import Mapping

import msgspec

# 1 is the spool's own.
TENT = 2
DENIED = 3
OPEN = 4
ATTEMPT = 5
ATTEMPT_DONE = 6
CHECKPOINT = 7
FINAL = 8
FINAL_TRACED = 9
"""A FINAL whose trace is recorded: shipping it makes a span."""
SYNC = 10

SHIPPED = frozenset({FINAL, FINAL_TRACED, SYNC})

_TICKET = struct.Struct("<Q")
TICKET_BYTES = _TICKET.size


class Tent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A request that is about to be reserved, with all that its terminal record will need."""

    request_id: str
    account_id: str
    user_id: str
    key_id: str
    model: str
    endpoint: str
    client_request_id: str
    traceparent: str
    streamed: bool
    reserve_nano: int
    rates_ceiling: dict[str, int] | None
    prompt_bytes: int
    begun_at_ms: int


class Opened(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What Redis granted; times are of its clock. `hard`: a limit holds, so no more than this is charged."""

    reserved_nano: int
    hard: bool
    scopes: tuple[str, ...]
    reserved_at_ms: int
    lease_end_ms: int


class Attempted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An upstream call that begins now, and the price that it would be charged at, if that is known."""

    number: int
    channel_id: str
    upstream_model: str
    price_id: str
    rates: dict[str, int] | None


class AttemptDone(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How an upstream call ended; `ms` is how long it took."""

    number: int
    status: int
    outcome: str
    ms: int


class Checkpoint(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Bytes of content delivered so far, and the provider's usage so far, None when it said nothing yet."""

    text_bytes: int
    usage: dict[str, int] | None


Detail = Opened | Attempted | AttemptDone | Checkpoint

_encoder = msgspec.msgpack.Encoder()
_tent_decoder = msgspec.msgpack.Decoder(Tent)
_detail_decoders: Mapping[int, msgspec.msgpack.Decoder[Detail]] = {
    OPEN: msgspec.msgpack.Decoder(Opened),
    ATTEMPT: msgspec.msgpack.Decoder(Attempted),
    ATTEMPT_DONE: msgspec.msgpack.Decoder(AttemptDone),
    CHECKPOINT: msgspec.msgpack.Decoder(Checkpoint),
}

encode_tent = _encoder.encode
"""Payload of a TENT."""


def encode_detail(ticket: int, detail: Detail) -> bytes:
    """Payload of any record between TENT and FINAL."""
    return _TICKET.pack(ticket) + _encoder.encode(detail)


def encode_event(ticket: int, event: bytes) -> bytes:
    """Payload of a FINAL: the ticket, and `UsageSettled` as it goes to the bus. DENIED has an empty one."""
    return _TICKET.pack(ticket) + event


def decode_tent(payload: bytes) -> Tent:
    """Raises msgspec.MsgspecError."""
    try:
        return _tent_decoder.decode(payload)
    except UnicodeDecodeError as wrong:
        raise msgspec.DecodeError(f"a TENT holds what is no text: {wrong}") from None


def decode_detail(kind: int, payload: bytes) -> Detail:
    """Raises msgspec.MsgspecError."""
    decoder = _detail_decoders.get(kind)
    if decoder is None:
        raise msgspec.DecodeError(f"{kind} is no kind of a record")
    try:
        return decoder.decode(memoryview(payload)[TICKET_BYTES:])
    except UnicodeDecodeError as wrong:
        raise msgspec.DecodeError(f"a record holds what is no text: {wrong}") from None


def ticket_of(payload: bytes) -> int:
    """The ticket that a payload (of any kind but TENT and SYNC) begins with. Raises msgspec.MsgspecError."""
    if len(payload) < TICKET_BYTES:
        raise msgspec.DecodeError("a record is too short to have a ticket")
    ticket: int = _TICKET.unpack_from(payload)[0]
    return ticket


def event_of(payload: bytes) -> bytes:
    """The event in a FINAL."""
    return payload[TICKET_BYTES:]
