import json
from typing import Any

from services.edge.inference.addressed import AsList

START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream"), (b"a", b"b")],
}


async def sent(*bodies: bytes) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        out.append(dict(message))

    as_list = AsList(send)
    await as_list(dict(START))
    for place, body in enumerate(bodies):
        more = place < len(bodies) - 1
        await as_list({"type": "http.response.body", "body": body, "more_body": more})
    return out


async def test_a_stream_as_one_list() -> None:
    start, *bodies = await sent(b'data: {"a":1}\n\n', b": ping\n\n", b'data: {"a":2}\n\ndata: {"a":3}\n\n', b"")
    assert start["headers"] == [(b"content-type", b"application/json"), (b"a", b"b")]
    assert json.loads(b"".join(body["body"] for body in bodies)) == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert [body["more_body"] for body in bodies] == [True, True, False]


async def test_one_of_nothing() -> None:
    assert (await sent(b""))[-1]["body"] == b"[]"
