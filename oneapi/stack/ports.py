"""Free TCP ports of this machine.

It decides that they lie below the range from which the system takes the ports of outgoing connections: a server that
comes back after a crash would otherwise find its port taken by some client, at times by one that calls that very port.
"""

import errno
import secrets
import socket
from contextlib import ExitStack
from pathlib import Path

RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST = 20_000
ATTEMPTS = 200


def free_ports(count: int, host: str = "127.0.0.1") -> tuple[int, ...]:
    """`count` different ports that were free on `host` a moment ago."""
    found: list[int] = []
    with ExitStack() as held:
        for _ in range(count):
            probe = _bound(host)
            held.enter_context(probe)
            found.append(probe.getsockname()[1])
    return tuple(found)


def free_port(host: str = "127.0.0.1") -> int:
    """One port that was free on `host` a moment ago."""
    return free_ports(1, host)[0]


def refusal(host: str, port: int) -> str:
    """Why nobody can listen there now, as the end of a sentence; "" when somebody can."""
    try:
        _bind(host, port).close()
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            return "is in use by another program"
        if problem.errno == errno.EACCES:
            return "may only be used by root"
        return f"can't be listened on ({problem.strerror or problem})"
    return ""


def _bound(host: str) -> socket.socket:
    width = _lowest_outgoing() - LOWEST
    for _ in range(ATTEMPTS if width > ATTEMPTS else 0):
        try:
            return _bind(host, LOWEST + secrets.randbelow(width))
        except OSError:
            continue
    return _bind(host, 0)


def _bind(host: str, port: int) -> socket.socket:
    probe = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        # As the servers do: a connection of an earlier run that is still being closed does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
    except OSError:
        probe.close()
        raise
    return probe


def _lowest_outgoing() -> int:
    try:
        return int(RANGE_FILE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768
