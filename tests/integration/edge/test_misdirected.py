"""Bodies of one format at another one's address: answered, and refused, in the format that they are written in."""

from typing import Any

import pytest

from tests.integration.edge.formats import CHAT, HI, MESSAGES, PATHS, RESPONSES, asked, complete, error_of, said
from tests.integration.edge.formats import streamed as said_in
from tests.integration.edge.stage import Stage

TEXT = " tok" * 5
BODIES: dict[str, dict[str, Any]] = {
    CHAT: {"messages": HI, "max_completion_tokens": 50},
    RESPONSES: {"input": "hi"},
    MESSAGES: {"messages": HI, "max_tokens": 50, "system": "be kind"},
}
CASES = [
    (CHAT, RESPONSES),
    (CHAT, MESSAGES),
    (RESPONSES, CHAT),
    (RESPONSES, MESSAGES),
    (MESSAGES, CHAT),
    (MESSAGES, RESPONSES),
]


@pytest.fixture(scope="module")
async def model(stage: Stage) -> str:
    await stage.channel({"misdirected": "play:tokens=5"}, dialects=(CHAT,))
    return "misdirected"


@pytest.mark.parametrize(("address", "written"), CASES)
async def test_answers(stage: Stage, key: str, model: str, address: str, written: str) -> None:
    async with stage.http(key) as http:
        whole = await http.post(PATHS[address], json={"model": model, **BODIES[written]})
        stream = await http.post(PATHS[address], json={"model": model, "stream": True, **BODIES[written]})
    assert whole.status_code == stream.status_code == 200, whole.text
    assert said(written, whole.json()) == said_in(written, stream.text) == TEXT
    assert complete(written, stream.text)
    event = await stage.event(whole.headers["x-request-id"])
    assert event.endpoint == {CHAT: "chat", RESPONSES: "responses", MESSAGES: "messages"}[written]


@pytest.mark.parametrize(("address", "written"), CASES)
async def test_errors(stage: Stage, key: str, model: str, address: str, written: str) -> None:
    async with stage.http(key) as http:
        unknown = await http.post(PATHS[address], json={"model": "no-such-model", **BODIES[written]})
        wrong = await http.post(PATHS[address], json={"model": model, **BODIES[written], "stream": "yes"})
    assert (unknown.status_code, wrong.status_code) == (404, 400)
    error_of(written, unknown.json())
    assert error_of(written, wrong.json())


@pytest.mark.parametrize("address", [CHAT, RESPONSES, MESSAGES])
async def test_what_is_unclear_is_what_its_address_says(stage: Stage, key: str, model: str, address: str) -> None:
    async with stage.http(key) as http:
        nothing = await http.post(PATHS[address], json={"model": model})
        embedding = await http.post(PATHS[address], json={"model": model, "dimensions": 8, "messages": "hi"})
        plain = await http.post(PATHS[address], json=asked(address, model))
    assert (nothing.status_code, embedding.status_code) == (400, 400)
    assert error_of(address, nothing.json())
    assert said(address, plain.json()) == TEXT
