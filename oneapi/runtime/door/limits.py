"""The bounds of what a client may send, in one place.

It decides numbers only, and must not know how they are enforced.
"""

import dataclasses

KIB = 1024
MIB = 1024 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class DoorLimits:
    """Bytes, counts and seconds. The defaults are what a public gateway needs; tests shorten the deadlines."""

    header_bytes: int = 32 * KIB
    header_count: int = 100
    url_bytes: int = 8 * KIB
    body_bytes: int = 20 * MIB
    discard_bytes: int = 64 * MIB
    """How much of a refused body is read and thrown away before the connection is cut."""
    pipelined: int = 64
    """How many requests may wait for the one before them. Each waits parsed, in a hundred times its size."""
    header_s: float = 10.0
    head_pieces: int = 256
    """In how many pieces a head may come. Packets of a bad network are far fewer."""
    unfinished_heads: int = 16_384
    """How many new connections may wait for a head; never more than half of the process's descriptors."""
    body_idle_s: float = 5.0
    body_total_s: float = 60.0
    body_bytes_per_s: int = KIB
    """The slowest body that is still read, once the first seconds are over."""
    keep_alive_s: int = 75
    write_stall_s: float = 60.0
    """How often a client that does not take what it is sent is looked at. It is cut when it took less than
    `write_bytes_per_s` since the last time."""
    write_bytes_per_s: int = KIB
