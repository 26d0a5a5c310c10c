"""Nobody is led elsewhere: by a redirect, a proxy of the environment, a resolver, or a name that is asked for."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from oneapi.runtime.egress import names as remembering
from tests.integration.egress.callers import OK
from tests.integration.egress.conftest import Make
from tests.upstream.raw import Asked, RawServer

FINE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


async def fine(asked: Asked) -> None:
    await asked.say(FINE)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:{port}/secret", "//127.0.0.1:{port}/", "file:///etc/passwd", "http://169.254.169.254/", "/here"],
)
async def test_redirects(make: Make, status: int, location: str) -> None:
    async with RawServer(fine) as other:
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {location.format(port=other.port)}\r\nContent-Length: 0\r\n\r\n"
        async with RawServer(lambda asked: asked.say(moved.encode())) as server:
            asking = make()
            assert await asking.ask(server.url()) == asking.refused_redirect
            assert not other.connections
            assert not [asked for asked in server.asked if b" /here " in asked.head]


@pytest.mark.parametrize("status", [b"200 OK", b"401 Unauthorized", b"407 Proxy Authentication Required", b"421 X"])
async def test_headers_that_name_another_place(make: Make, status: bytes) -> None:
    async with RawServer(fine) as other:
        names = "\r\n".join(
            [
                f'WWW-Authenticate: Bearer resource_metadata="{other.url()}/x"',
                f'Alt-Svc: h2="127.0.0.1:{other.port}"',
                f"Refresh: 0; url={other.url()}/",
                f"Location: {other.url()}/",
                f'Link: <{other.url()}/>; rel="preload"',
                f"Content-Location: {other.url()}/",
                "",
            ]
        )
        said = b"HTTP/1.1 " + status + b"\r\n" + names.encode() + FINE.partition(b"\r\n")[2]
        async with RawServer(lambda asked: asked.say(said)) as server:
            await make().ask(server.url())
            assert server.asked
            assert not other.connections


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> dict[str, Iterator[list[str]]]:
    """What each name resolves to, time after time; nothing is remembered."""
    found: dict[str, Iterator[list[str]]] = {}

    async def getaddrinfo(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        return [(10 if ":" in ip else 2, 1, 6, "", (ip, port)) for ip in next(found[host])]

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", getaddrinfo)
    monkeypatch.setattr(remembering, "REMEMBERED_S", -1.0)
    return found


async def test_a_name_that_moves_inside(make: Make, resolved: dict[str, Iterator[list[str]]]) -> None:
    async with RawServer(fine) as server:
        asking = make()
        url = server.url("moving.example")
        # One connection for each exchange; a tool server's may take two requests, on the same one.
        resolved["moving.example"] = iter([["127.0.0.1"], *[["169.254.169.254"]] * 9])
        assert asking.refused_address not in await asking.ask(url)
        before = server.connections
        assert before >= 1
        assert asking.refused_address in await asking.ask(url)
        assert server.connections == before


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::1"], ["10.0.0.1"], ["0.0.0.0"]])
async def test_names_that_lead_inside(
    make: Make, resolved: dict[str, Iterator[list[str]]], addresses: list[str]
) -> None:
    resolved["inside.example"] = iter([addresses] * 9)
    asking = make(allow_private=False)
    assert asking.refused_address in await asking.ask("https://inside.example/v1")


async def test_a_good_and_a_bad_address(make: Make, resolved: dict[str, Iterator[list[str]]]) -> None:
    async with RawServer(fine) as server:
        resolved["mixed.example"] = iter([["127.0.0.1", "169.254.169.254"]] * 9)
        asking = make()
        assert asking.refused_address in await asking.ask(server.url("mixed.example"))
        assert not server.connections


async def test_the_environment_is_not_asked(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password netrc-secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    async with RawServer(fine) as proxy, RawServer(fine) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"):
            monkeypatch.setenv(name, proxy.url())
            monkeypatch.setenv(name.lower(), proxy.url())
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        await make().ask(server.url())
        assert not proxy.connections
        assert server.asked
        assert not [asked for asked in server.asked if b"c29tZWJvZHk" in asked.head or b"netrc" in asked.head]
        assert os.environ["HTTP_PROXY"]


@pytest.mark.parametrize(
    "name", ["../../v1/files?x=", "x?key=1#", "a%2f..%2fb", "a\r\nX-Split: y", "a b", "a\n\nGET /x HTTP/1.1\n\n", "é\0"]
)
async def test_names_stay_where_they_belong(make: Make, name: str) -> None:
    async with RawServer(fine) as server:
        await make().ask(server.url() + "/v1", name=name)
        assert server.asked
        for asked in server.asked:
            line, *lines = asked.head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
            assert line.split(" ")[1] in {"/v1", "/v1/models", "/v1/chat/completions"}
            assert all(": " in text and "\n" not in text for text in lines)
            assert not [text for text in lines if text.lower().startswith("x-split")]
            if asked.body:
                msgspec.json.decode(asked.body)


@pytest.mark.parametrize("value", ["a\r\nX-Split: y", "a\nb", "a\0b", "a\rb", "a\x7fb"])
async def test_headers_that_would_split_are_never_sent(make: Make, value: str) -> None:
    async with RawServer(fine) as server:
        asking = make()
        assert await asking.ask(server.url(), headers={"x-a": value}) == asking.refused_header
        assert not server.asked
        assert asking.refused_header != OK
