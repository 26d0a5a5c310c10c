import pytest

from oneapi.catalog.types import Channel
from oneapi.runtime.egress.dial import Dialer
from services.admin.upstreams.probe import judge, probe

CHANNEL = Channel(id="c", name="c", provider="openai", models=("a", "b"), model_mapping={"a": "up-a"})


@pytest.mark.parametrize(
    ("status", "body", "ok", "found", "missing"),
    [
        (200, b'{"data":[{"id":"up-a"},{"id":"b","x":1}]}', True, 2, ()),
        (200, b'{"data":[{"id":"a"}]}', True, 1, ("up-a", "b")),
        (200, b"<html>", True, None, ()),
        (200, b'{"data":[{"id":"\xff"}]}', True, None, ()),
        (200, b'{"x":' + b"[" * 100_000, True, None, ()),
        (401, b"{}", False, None, ()),
        (403, b"{}", False, None, ()),
        (404, b"{}", True, None, ()),
        (307, b"", False, None, ()),
        (429, b"", True, None, ()),
        (500, b"", False, None, ()),
    ],
)
def test_what_an_answer_means(status: int, body: bytes, ok: bool, found: int | None, missing: tuple[str, ...]) -> None:
    result = judge(CHANNEL, status, body, 5)
    assert (result.ok, result.status, result.ms, result.missing) == (ok, status, 5, missing)
    assert (None if result.models is None else len(result.models)) == found
    assert result.detail


@pytest.mark.parametrize(
    ("body", "found", "missing"),
    [
        (b'{"models":[{"name":"models/up-a","x":1},{"name":"models/b"}],"nextPageToken":"t"}', 2, ()),
        (b'{"models":[{"name":"b"}]}', 1, ("up-a",)),
        (b'{"data":[{"id":"up-a"},{"id":"b"}]}', None, ()),
    ],
)
def test_googles_list(body: bytes, found: int | None, missing: tuple[str, ...]) -> None:
    mapping = {"a": "models/up-a"}
    channel = Channel(id="c", name="c", provider="gemini", models=("a", "b"), model_mapping=mapping)
    result = judge(channel, 200, body, 5)
    assert (result.ok, result.missing) == (True, missing)
    assert (None if result.models is None else len(result.models)) == found


def test_googles_word_for_a_bad_key() -> None:
    assert not judge(Channel(id="c", name="c", provider="gemini", models=("a",)), 400, b"{}", 5).ok


async def test_the_sandbox_needs_no_network() -> None:
    sandbox = Channel(id="c", name="c", provider="sandbox", models=("sandbox",))
    assert (await probe(sandbox, "", {}, Dialer(allow_private=False))).ok


async def test_a_request_that_cannot_be_signed_is_not_made() -> None:
    nowhere = Channel(id="c", name="c", provider="bedrock", models=("m",), base_url="https://proxy.example")
    key = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    result = await probe(nowhere, key, {}, Dialer(allow_private=False))
    assert not result.ok
    assert result.detail == ("The request can't be signed: the region is in neither the base URL nor config.region.")


async def test_a_refused_address_is_never_asked() -> None:
    private = Channel(id="c", name="c", provider="openai", models=("m",), base_url="https://127.0.0.1/v1")
    result = await probe(private, "key", {}, Dialer(allow_private=False))
    assert not result.ok
    assert "loopback" in result.detail
