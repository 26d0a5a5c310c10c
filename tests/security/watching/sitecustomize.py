"""Writes down whom a process asks for addresses and connects to, as lines of JSON in the file that WATCH_FILE names.

Python imports a module of this name at its start. It hears the interpreter's own calls and those of uvloop, which go
around the interpreter. Without the variable it does nothing.
"""

import json
import os
import sys
from typing import Any

_FILE = os.environ.get("WATCH_FILE", "")


def note(kind: str, host: object, port: object) -> None:
    if isinstance(host, bytes):
        host = host.decode("latin-1")
    line = json.dumps({"pid": os.getpid(), "argv": sys.orig_argv[1:3], "kind": kind, "host": host, "port": port})
    descriptor = os.open(_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)


def hear(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: see Python's table of audit events."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        note("connect", *arguments[1][:2])
    elif event == "socket.getaddrinfo":
        note("resolve", *arguments[:2])
    elif event == "subprocess.Popen":
        note("program", repr(arguments[1]), None)
    elif event in {"os.system", "os.exec", "os.posix_spawn"}:
        note("program", repr(arguments[0]), None)


def watch_uvloop() -> None:
    try:
        import uvloop
    except ImportError:
        return
    loop: Any = uvloop.Loop
    create_connection, getaddrinfo = loop.create_connection, loop.getaddrinfo

    async def connecting(self: Any, factory: Any, host: Any = None, port: Any = None, **given: Any) -> Any:
        if host is not None:
            note("connect", host, port)
        return await create_connection(self, factory, host, port, **given)

    async def resolving(self: Any, host: Any, port: Any, **given: Any) -> Any:
        note("resolve", host, port)
        return await getaddrinfo(self, host, port, **given)

    loop.create_connection = connecting
    loop.getaddrinfo = resolving


if _FILE:
    sys.addaudithook(hear)
    watch_uvloop()
