"""What is known of a request when it has come through the door.

It decides the names by which a request is told about, and must not know what it asks for.
"""

import msgspec

from services.edge.door.head import Head


class Arrival(msgspec.Struct, frozen=True):
    """`address` is the client's, `started_s` a reading of `time.perf_counter`, `scheme` what the client used."""

    request_id: str
    raw_path: bytes
    head: Head
    address: str
    scheme: str
    started_s: float
