from collections.abc import Iterable
from typing import Any

import pytest

from oneapi.dialects.errors import GatewayError
from oneapi.runtime.asgi import Receive
from oneapi.runtime.door.body import ClientGone, read_body


def receiving(*messages: dict[str, Any]) -> Receive:
    left: Iterable[dict[str, Any]] = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(iter(left))

    return receive


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_parts_are_joined() -> None:
    assert await read_body(receiving(part(b"abc", more=False)), 3, 10) == b"abc"
    parts = (part(b"a", more=True), part(b"b", more=True), part(b"", more=False))
    assert await read_body(receiving(*parts), -1, 10) == b"ab"


async def test_too_large_by_declaration_is_not_even_read() -> None:
    with pytest.raises(GatewayError) as refused:
        await read_body(receiving(), 11, 10)
    assert refused.value.status == 413


@pytest.mark.parametrize("parts", [[b"x" * 11], [b"x" * 6, b"x" * 5], [b"", b"x" * 10, b"x"]])
async def test_too_large_by_what_comes(parts: list[bytes]) -> None:
    messages = [part(body, more=i < len(parts) - 1) for i, body in enumerate(parts)]
    with pytest.raises(GatewayError) as refused:
        await read_body(receiving(*messages), -1, 10)
    assert refused.value.status == 413


async def test_a_client_that_leaves() -> None:
    gone = {"type": "http.disconnect"}
    with pytest.raises(ClientGone):
        await read_body(receiving(gone), 3, 10)
    with pytest.raises(ClientGone):
        await read_body(receiving(part(b"a", more=True), gone), 3, 10)
