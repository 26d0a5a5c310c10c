"""Conversations that are compacted over any upstream, and go on over any other; with the official SDK."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from tests.integration.edge.formats import CHAT, GEMINI, MESSAGES, RESPONSES, channel_of
from tests.integration.edge.stage import Stage

TEXT = " tok" * 5
ASKED: list[Any] = [
    {"role": "user", "content": "the first question"},
    {"role": "assistant", "content": "a long answer"},
    {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "it rains"},
    {"role": "user", "content": "the second question"},
]


@pytest.fixture(scope="module", autouse=True)
async def models(stage: Stage) -> None:
    for dialect in (RESPONSES, CHAT, MESSAGES, GEMINI):
        names = {f"compact-{dialect}": "play:tokens=5", f"empty-{dialect}": "play:tokens=0"}
        names[f"capped-{dialect}"] = "play:tokens=5,capped=1"
        await stage.channel(names, **channel_of(dialect))


@pytest.fixture
async def client(stage: Stage, key: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with stage.openai(key) as client:
        yield client


def items_of(compacted: Any) -> list[Any]:
    return [item.to_dict(warnings=False) for item in compacted.output]


@pytest.mark.parametrize("first", [RESPONSES, CHAT, MESSAGES, GEMINI])
@pytest.mark.parametrize("second", [RESPONSES, CHAT, MESSAGES])
async def test_a_conversation_goes_on_from_its_summary(
    stage: Stage, client: openai.AsyncOpenAI, first: str, second: str
) -> None:
    compacted = await client.responses.compact(model=f"compact-{first}", input=ASKED, instructions="be brief")
    told = str(stage.upstream.served()[-1]["body"])
    for word in ("the first question", "a long answer", "it rains", "be brief", "Write the summary alone"):
        assert word in told
    assert compacted.object == "response.compaction"
    assert compacted.usage.input_tokens > 0
    assert [item.type for item in compacted.output] == ["message", "message", "compaction"]
    event = await stage.event(str(uuid.UUID(compacted.id.removeprefix("resp_"))))
    assert (event.outcome, event.endpoint) == ("ok", "compact")
    assert event.amount_nano > 0

    went_on = await client.responses.create(
        model=f"compact-{second}", input=[*items_of(compacted), {"role": "user", "content": "and now?"}]
    )
    assert went_on.output_text == TEXT
    told = str(stage.upstream.served()[-1]["body"])
    for word in ("the first question", "the second question", TEXT.strip(), "and now?"):
        assert word in told
    for gone in ("a long answer", "it rains", "compaction", "oa1-"):
        assert gone not in told
    again = await client.responses.create(model=f"compact-{second}", input="and then?", previous_response_id=went_on.id)
    assert again.output_text == TEXT
    assert "What was said before" in str(stage.upstream.served()[-1]["body"])


async def test_what_is_stored_can_be_compacted(stage: Stage, client: openai.AsyncOpenAI) -> None:
    begun = await client.responses.create(model=f"compact-{CHAT}", input="the first question")
    compacted = await client.responses.compact(model=f"compact-{MESSAGES}", previous_response_id=begun.id)
    told = stage.upstream.served()[-1]["body"]
    assert "the first question" in str(told)
    assert TEXT.strip() in str(told)
    assert [item.type for item in compacted.output] == ["message", "compaction"]
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(compacted.id)
    again = await client.responses.compact(model=f"compact-{CHAT}", input=items_of(compacted))
    assert [item.type for item in again.output] == ["message", "compaction"]


@pytest.mark.parametrize("upstream", [RESPONSES, CHAT, MESSAGES, GEMINI])
@pytest.mark.parametrize("answer", ["empty", "capped"])
async def test_an_answer_without_a_whole_summary_is_an_error_and_is_paid_for(
    stage: Stage, client: openai.AsyncOpenAI, answer: str, upstream: str
) -> None:
    with pytest.raises(openai.InternalServerError) as failed:
        await client.responses.compact(model=f"{answer}-{upstream}", input=ASKED)
    assert (failed.value.status_code, failed.value.code) == (502, "compaction_failed")
    event = await stage.event(failed.value.response.headers["x-request-id"])
    assert event.amount_nano > 0


async def test_nobody_elses_summary(stage: Stage, client: openai.AsyncOpenAI) -> None:
    compacted = await client.responses.compact(model=f"compact-{CHAT}", input="hi")
    served = len(stage.upstream.served())
    async with stage.openai(await stage.key(await stage.account(credit_nano=10**12))) as tenant:
        for asked in (
            tenant.responses.create(model=f"compact-{CHAT}", input=items_of(compacted)),
            tenant.responses.create(model=f"compact-{RESPONSES}", input=items_of(compacted), store=False),
            tenant.responses.compact(model=f"compact-{RESPONSES}", input=items_of(compacted)),
            tenant.responses.input_tokens.count(model=f"compact-{CHAT}", input=items_of(compacted)),
        ):
            with pytest.raises(openai.BadRequestError) as refused:
                await asked
            assert refused.value.code == "invalid_encrypted_content"
    assert len(stage.upstream.served()) == served


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"input": "hi"}, 400, "model"),
        ({"model": f"compact-{CHAT}"}, 400, "input"),
        ({"model": f"compact-{CHAT}", "input": []}, 400, "input"),
        ({"model": f"compact-{CHAT}", "input": "hi", "stream": True}, 400, "stream"),
        ({"model": f"compact-{CHAT}", "input": "hi", "background": True}, 400, "background"),
        ({"model": f"compact-{CHAT}", "input": "hi", "previous_response_id": "resp_1"}, 400, "previous_response_id"),
        ({"model": f"compact-{CHAT}", "messages": [{"role": "user", "content": "hi"}]}, 400, "input"),
        ({"model": "nobody-has-it", "input": "hi"}, 404, "model"),
    ],
)
async def test_bad_requests(stage: Stage, key: str, body: dict[str, Any], status: int, param: str) -> None:
    async with stage.http(key) as http:
        answer = await http.post("/v1/responses/compact", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["param"] == param
