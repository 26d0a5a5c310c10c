"""Connections to configured upstreams are made in one package, and nothing in the product can make TLS weaker.

Each rule is shown to see what it forbids.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.sources import ROOT, parsed, product_files

WAY_OUT = Path("oneapi/runtime/egress")
MODULES = {"urllib.request", "http.client", "requests", "httpx", "urllib3", "ftplib", "smtplib", "telnetlib", "pycurl"}
"""Nobody imports these: each opens connections in its own way."""
MAKERS = {
    "aiohttp.ClientSession",
    "aiohttp.request",
    "aiohttp.TCPConnector",
    "anyio.connect_tcp",
    "asyncio.open_connection",
    "httpcore2.AsyncConnectionPool",
    "httpcore2.ConnectionPool",
    "httpx2.AsyncClient",
    "httpx2.AsyncHTTPTransport",
    "httpx2.Client",
    "httpx2.HTTPTransport",
    "socket.create_connection",
    "socket.socket",
    "ssl.SSLContext",
    "ssl.create_default_context",
    *(f"httpx2.{verb}" for verb in ("delete", "get", "head", "options", "patch", "post", "put", "request", "stream")),
}
METHODS = {"create_connection", "sock_connect", "start_tls", "connect_ex"}
"""Of event loops and sockets, whatever they are called."""
NEVER_PASSED = {
    ("verify", False), ("check_hostname", False), ("trust_env", True), ("follow_redirects", True), ("ssl", False),
    ("verify_ssl", False), ("allow_redirects", True), ("auto_decompress", True),
}  # fmt: skip
NEVER_NAMED = {
    "CERT_NONE", "CERT_OPTIONAL", "_create_unverified_context", "_create_stdlib_context", "PROTOCOL_TLSv1",
    "PROTOCOL_TLSv1_1", "PROTOCOL_SSLv23",
}  # fmt: skip


def allowed() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((ROOT / "tests/architecture/one_way_out.toml").read_text())["allowed"]
    return rows


def full_names(tree: ast.Module) -> dict[str, str]:
    """What each imported name of a module stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value, names)}.{node.attr}"
    return ""


def connecting(tree: ast.Module) -> Iterator[str]:
    """Everything in a module that opens a connection, or makes something that does."""
    names = full_names(tree)
    yield from (name for name in names.values() if name in MODULES or name.rpartition(".")[0] in MODULES)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (
                f"{node.module}.{alias.name}" for alias in node.names if f"{node.module}.{alias.name}" in MAKERS
            )
        elif isinstance(node, ast.Attribute):
            name = dotted(node, names)
            if name in MAKERS:
                yield name
            elif node.attr in METHODS:
                yield node.attr


def weakening(tree: ast.Module) -> Iterator[str]:
    """Everything in a module that would trust a server, an environment or a redirect more than it should."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            if (node.arg, node.value.value) in NEVER_PASSED:
                yield f"{node.arg}={node.value.value!r}"
        elif isinstance(node, ast.keyword) and node.arg in {"verify", "trust_env", "follow_redirects"}:
            yield f"{node.arg} that is not written out"
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr in {"check_hostname", "verify_mode"}:
                    yield f"{target.attr} is set"
        elif isinstance(node, ast.Attribute) and node.attr in NEVER_NAMED:
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if alias.name in NEVER_NAMED)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in NEVER_NAMED:
            yield f"{node.value} as a text"


def test_only_one_package_opens_connections() -> None:
    permitted = {(row["path"], use) for row in allowed() for use in row["uses"]}
    found = {
        (str(path), use) for path in product_files() if WAY_OUT not in path.parents for use in connecting(parsed(path))
    }
    assert not found - permitted, "go through oneapi/runtime/egress, or give a reason in one_way_out.toml"
    assert not permitted - found, "these no longer need their permission"
    assert all(len(row["reason"]) > 40 for row in allowed())


def test_nothing_weakens_a_connection() -> None:
    found = {f"{path}: {what}" for path in product_files() for what in weakening(parsed(path))}
    assert not found


@pytest.mark.parametrize(
    "planted",
    [
        "import aiohttp\naiohttp.ClientSession()",
        "from aiohttp import ClientSession",
        "from aiohttp import ClientSession as Session",
        "import aiohttp as http\nhttp.ClientSession()",
        "import httpx2\nhttpx2.AsyncClient()",
        "import httpx2\nhttpx2.get('x')",
        "from httpx2 import AsyncHTTPTransport",
        "import urllib.request",
        "from urllib import request",
        "from urllib.request import urlopen",
        "import http.client",
        "from http import client",
        "import requests",
        "import httpx",
        "import socket\nsocket.create_connection(())",
        "import asyncio\nasyncio.open_connection()",
        "from asyncio import open_connection",
        "async def f(loop):\n    await loop.create_connection(f)",
        "async def f(loop, sock):\n    await loop.sock_connect(sock, ())",
        "import socket\nsocket.socket().connect(())",
        "import ssl\nssl.create_default_context()",
    ],
)
def test_a_second_way_out_is_seen(planted: str) -> None:
    assert list(connecting(ast.parse(planted)))


@pytest.mark.parametrize(
    "planted",
    [
        "f(verify=False)",
        "f(verify=x)",
        "f(trust_env=True)",
        "f(trust_env=x)",
        "f(follow_redirects=True)",
        "f(ssl=False)",
        "c.check_hostname = False",
        "c.verify_mode = x",
        "import ssl\nx = ssl.CERT_NONE",
        "from ssl import CERT_NONE",
        "import ssl\nssl._create_unverified_context()",
        "import ssl\ngetattr(ssl, 'CERT_NONE')",
    ],
)
def test_what_weakens_is_seen(planted: str) -> None:
    assert list(weakening(ast.parse(planted)))
