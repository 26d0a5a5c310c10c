"""Ends a connection so that nothing of it is left, not even in the kernel.

It decides that what is still unsent is dropped. It must not know why a connection ends.
"""

import asyncio
import socket
import struct

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER's value for "on, for no seconds"."""


def reset(transport: asyncio.Transport) -> None:
    """Aborts: a client that takes nothing would else keep the connection open with what the kernel holds for it."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()
