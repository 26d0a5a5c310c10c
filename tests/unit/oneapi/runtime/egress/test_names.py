from typing import Any

import pytest

from oneapi.runtime.egress import names as remembering
from oneapi.runtime.egress.addresses import EgressRefused, Place
from oneapi.runtime.egress.names import Names, resolve_checked


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What each name resolves to; the tests ask no resolver."""
    found: dict[str, list[str]] = {}

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(2, 1, 6, "", (ip, port)) for ip in found[host]]

    monkeypatch.setattr(
        "asyncio.base_events.BaseEventLoop.getaddrinfo", lambda _, *args, **kw: getaddrinfo(*args, **kw)
    )
    return found


async def test_every_address_of_a_name_must_be_fine(names: dict[str, list[str]]) -> None:
    names["good.example"] = ["1.1.1.1", "8.8.8.8", "1.1.1.1"]
    names["mixed.example"] = ["1.1.1.1", "127.0.0.1"]
    names["rebound.example"] = ["169.254.169.254"]
    names["empty.example"] = []
    assert await resolve_checked("good.example", 443, False) == ["1.1.1.1", "8.8.8.8"]
    with pytest.raises(EgressRefused, match=r"127\.0\.0\.1 is loopback"):
        await resolve_checked("mixed.example", 443, False)
    assert await resolve_checked("mixed.example", 443, True) == ["1.1.1.1", "127.0.0.1"]
    with pytest.raises(EgressRefused):
        await resolve_checked("rebound.example", 443, True)
    with pytest.raises(OSError, match="no address"):
        await resolve_checked("empty.example", 443, False)


async def test_a_name_that_moves_inside(names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place("rebound.example", 443, True, False)
    names["rebound.example"] = ["1.1.1.1"]
    for allow_private, inside in ((False, "127.0.0.1"), (True, "169.254.169.254")):
        kept = Names(allow_private=allow_private)
        names["rebound.example"] = ["1.1.1.1"]
        assert await kept.addresses(place) == ["1.1.1.1"]
        names["rebound.example"] = [inside]
        # Remembered: the address that was checked, and no other.
        assert await kept.addresses(place) == ["1.1.1.1"]
        with monkeypatch.context() as forgetting:
            forgetting.setattr(remembering, "REMEMBERED_S", -1.0)
            fresh = Names(allow_private=allow_private)
            names["rebound.example"] = ["1.1.1.1"]
            assert await fresh.addresses(place) == ["1.1.1.1"]
            names["rebound.example"] = [inside]
            with pytest.raises(EgressRefused, match=inside):
                await fresh.addresses(place)


async def test_an_address_needs_no_resolver() -> None:
    assert await Names(allow_private=False).addresses(Place("1.1.1.1", 443, True, True)) == ["1.1.1.1"]
    with pytest.raises(EgressRefused):
        await Names(allow_private=False).addresses(Place("10.0.0.1", 443, True, True))
