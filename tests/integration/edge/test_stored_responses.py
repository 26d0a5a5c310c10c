"""Responses that the gateway stores: gone on from over any upstream, read, listed, forgotten; with the official SDK."""

import base64
import os
import uuid
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from tests.integration.edge.formats import CHAT, MESSAGES, RESPONSES
from tests.integration.edge.stage import Stage

UPSTREAMS = {RESPONSES: "kept-responses", CHAT: "kept-chat", MESSAGES: "kept-claude"}
TEXT = " tok" * 5
WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": False}


@pytest.fixture(scope="module", autouse=True)
async def models(stage: Stage) -> None:
    await stage.channel({UPSTREAMS[RESPONSES]: "play:tokens=5,tool=1"}, dialects=(RESPONSES,))
    await stage.channel({UPSTREAMS[CHAT]: "play:tokens=5,tool=1"}, dialects=(CHAT,))
    await stage.channel({UPSTREAMS[MESSAGES]: "play:tokens=5,tool=1"}, provider="anthropic-compatible")
    await stage.channel({"kept-sandbox": "sandbox"}, provider="sandbox", base_url="")


@pytest.fixture
async def client(stage: Stage, key: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with stage.openai(key) as client:
        yield client


@pytest.fixture
async def tenant(stage: Stage) -> AsyncIterator[openai.AsyncOpenAI]:
    """A client of another account."""
    async with stage.openai(await stage.key(await stage.account(credit_nano=10**12))) as client:
        yield client


async def respond(client: openai.AsyncOpenAI, *, stream: bool = False, **asked: Any) -> Any:
    """The response, streamed or not."""
    if not stream:
        return await client.responses.create(**asked)
    async with client.responses.stream(**asked) as events:
        return await events.get_final_response()


def told(stage: Stage) -> str:
    """All that the upstream was told last."""
    return str(stage.upstream.served()[-1]["body"])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("first", [RESPONSES, CHAT, MESSAGES])
@pytest.mark.parametrize("second", [RESPONSES, CHAT, MESSAGES])
async def test_a_conversation_goes_on_anywhere(
    stage: Stage, client: openai.AsyncOpenAI, first: str, second: str, stream: bool
) -> None:
    begun = await respond(
        client, stream=stream, model=UPSTREAMS[first], input="the first question", instructions="be brief"
    )
    assert begun.id.startswith("resp_")
    assert "upstream" not in begun.id
    assert begun.store is True
    again = await client.responses.retrieve(begun.id)
    assert again.model_dump() == begun.model_dump() | {"output": again.model_dump()["output"]}
    assert again.output_text == TEXT
    went_on = await respond(
        client, stream=stream, model=UPSTREAMS[second], input="the second", previous_response_id=begun.id
    )
    body = stage.upstream.served()[-1]["body"]
    for word in ("the first question", TEXT, "the second"):
        assert word in str(body)
    assert "be brief" not in str(body)
    assert not {"previous_response_id", "conversation"} & set(body)
    if second == RESPONSES:
        assert body["store"] is False
        assert [item.get("role") for item in body["input"]] == ["user", "assistant", "user"]
        assert not any("id" in item for item in body["input"])
    assert went_on.previous_response_id == begun.id
    event = await stage.event(str(uuid.UUID(went_on.id.removeprefix("resp_"))))
    assert event.outcome == "ok"
    listed = [item async for item in client.responses.input_items.list(went_on.id, order="asc", limit=2)]
    assert [item.role for item in listed] == ["user", "assistant", "user"]  # type: ignore[union-attr]
    newest = await client.responses.input_items.list(went_on.id, limit=1)
    assert newest.has_more
    assert newest.data[0].to_dict()["content"] == [{"type": "input_text", "text": "the second"}]


async def test_calls_and_their_results(stage: Stage, client: openai.AsyncOpenAI) -> None:
    begun = await client.responses.create(model=UPSTREAMS[RESPONSES], input="rain?", tools=[WEATHER])  # type: ignore[list-item]
    call = begun.output[-1]
    assert call.type == "function_call"
    result: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "it rains"}]
    ended = await client.responses.create(
        model=UPSTREAMS[MESSAGES],
        input=result,
        previous_response_id=begun.id,
        tools=[WEATHER],  # type: ignore[list-item]
    )
    assert ended.output_text == TEXT
    sent = stage.upstream.served()[-1]["body"]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert sent[1]["content"][0]["type"] == "tool_use"
    assert sent[2]["content"][0]["tool_use_id"] == sent[1]["content"][0]["id"]
    assert "it rains" in str(sent[2])


async def test_what_is_not_stored_is_not_there(stage: Stage, client: openai.AsyncOpenAI) -> None:
    for stream in (False, True):
        answer = await respond(client, stream=stream, model=UPSTREAMS[RESPONSES], input="hi", store=False)
        assert answer.id == "resp_upstream1"
        answer = await respond(client, stream=stream, model=UPSTREAMS[CHAT], input="hi", store=False)
        assert answer.store is False
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(answer.id)
        with pytest.raises(openai.BadRequestError) as refused:
            await client.responses.create(model=UPSTREAMS[CHAT], input="b", previous_response_id=answer.id)
        assert refused.value.code == "previous_response_not_found"
        assert refused.value.param == "previous_response_id"


async def test_what_is_forgotten_is_not_there(client: openai.AsyncOpenAI) -> None:
    begun = await client.responses.create(model="kept-sandbox", input="hi")
    await client.responses.delete(begun.id)
    for asked in (
        client.responses.retrieve(begun.id),
        client.responses.delete(begun.id),
        client.responses.cancel(begun.id),
        client.responses.input_items.list(begun.id),
    ):
        with pytest.raises(openai.NotFoundError):
            await asked
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="kept-sandbox", input="b", previous_response_id=begun.id)
    assert refused.value.code == "previous_response_not_found"


async def test_nobody_elses(client: openai.AsyncOpenAI, tenant: openai.AsyncOpenAI) -> None:
    begun = await client.responses.create(model="kept-sandbox", input="hi")
    nobodys = "resp_" + "0" * 32
    told = []
    for response_id in (begun.id, nobodys, "resp_*", "resp_1", begun.id + ".x"):
        for asked in (
            tenant.responses.retrieve(response_id),
            tenant.responses.delete(response_id),
            tenant.responses.cancel(response_id),
            tenant.responses.input_items.list(response_id),
            tenant.responses.create(model="kept-sandbox", input="b", previous_response_id=response_id),
            tenant.responses.create(
                model="kept-sandbox", input=[{"type": "item_reference", "id": begun.output[0].id or ""}]
            ),
        ):
            with pytest.raises((openai.NotFoundError, openai.BadRequestError)) as refused:
                await asked
            told.append((refused.value.status_code, refused.value.body))
    assert told[:6] == told[6:12]
    assert (await client.responses.retrieve(begun.id)).id == begun.id


@pytest.mark.parametrize("upstream", [RESPONSES, CHAT])
async def test_items_that_are_only_referred_to(stage: Stage, client: openai.AsyncOpenAI, upstream: str) -> None:
    begun = await client.responses.create(model=UPSTREAMS[upstream], input="which word?")
    asked = [item async for item in client.responses.input_items.list(begun.id)]
    await client.responses.create(
        model=UPSTREAMS[CHAT],
        store=False,
        input=[
            {"type": "item_reference", "id": asked[0].id or ""},
            {"type": "item_reference", "id": begun.output[0].id or ""},
            {"role": "user", "content": "and now?"},
        ],
    )
    assert [m["content"] for m in stage.upstream.served()[-1]["body"]["messages"]] == ["which word?", TEXT, "and now?"]
    with pytest.raises(openai.NotFoundError) as refused:
        await client.responses.create(model="kept-sandbox", input=[{"type": "item_reference", "id": "msg_of_nobody"}])
    assert refused.value.code == "item_not_found"


async def test_large_inputs_are_kept_whole(stage: Stage, client: openai.AsyncOpenAI) -> None:
    picture = base64.b64encode(os.urandom(3 * 2**20)).decode()
    part: Any = {"type": "input_image", "image_url": f"data:image/png;base64,{picture}", "detail": "auto"}
    begun = await client.responses.create(model=UPSTREAMS[RESPONSES], input=[{"role": "user", "content": [part]}])
    await client.responses.create(model=UPSTREAMS[RESPONSES], input="and?", previous_response_id=begun.id)
    assert stage.upstream.served()[-1]["body"]["input"][0]["content"][0]["image_url"].endswith(picture)
    await client.responses.delete(begun.id)


async def test_a_past_that_is_too_long(stage: Stage, client: openai.AsyncOpenAI) -> None:
    previous: Any = openai.omit
    with pytest.raises(openai.BadRequestError) as refused:
        for _ in range(8):
            begun = await client.responses.create(
                model="kept-sandbox", input="long " * 800_000, previous_response_id=previous
            )
            previous = begun.id
    assert refused.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"background": True}, "unsupported_parameter"),
        ({"previous_response_id": "resp_1", "conversation": "conv_1"}, "mutually_exclusive_parameters"),
        ({"store": "yes"}, "invalid_request"),
        ({"conversation": {"id": 7}}, "invalid_request"),
        ({"previous_response_id": 7}, "invalid_request"),
        ({"input": [{"type": "item_reference"}]}, "invalid_request"),
    ],
)
async def test_what_is_refused(client: openai.AsyncOpenAI, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(**{"model": "kept-sandbox", "input": "hi", **asked})
    assert refused.value.code == code


async def test_what_only_background_responses_have(client: openai.AsyncOpenAI) -> None:
    begun = await client.responses.create(model="kept-sandbox", input="hi")
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.cancel(begun.id)
    assert refused.value.code == "response_not_cancellable"
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.retrieve(begun.id, stream=True)
    assert refused.value.code == "unsupported_parameter"


async def test_the_reservation_counts_what_stands_before(stage: Stage) -> None:
    """A tenant whose money reaches for one turn, and not for a turn with all that was said before."""
    account = await stage.account(credit_nano=60_000_000)
    async with stage.openai(await stage.key(account)) as client:
        asked: Any = {"model": UPSTREAMS[RESPONSES], "max_output_tokens": 100}
        begun = await client.responses.create(input="word " * 5_000, **asked)
        await client.responses.create(input="hi", **asked)
        with pytest.raises(openai.APIStatusError) as refused:
            await client.responses.create(input="hi" + "x" * 10_000, previous_response_id=begun.id, **asked)
        assert refused.value.status_code == 402


async def test_counts_of_what_goes_on(stage: Stage, key: str, client: openai.AsyncOpenAI) -> None:
    begun = await client.responses.create(model="kept-sandbox", input="many words " * 100)
    async with stage.http(key) as http:

        async def count(**more: Any) -> int:
            answer = await http.post(
                "/v1/responses/input_tokens", json={"model": "kept-sandbox", "input": "hi", **more}
            )
            assert answer.status_code == 200, answer.text
            return int(answer.json()["input_tokens"])

        assert await count(previous_response_id=begun.id) > await count() + 100
        nobodys = {"model": "kept-sandbox", "input": "hi", "previous_response_id": "resp_" + "0" * 32}
        assert (await http.post("/v1/responses/input_tokens", json=nobodys)).status_code == 400
