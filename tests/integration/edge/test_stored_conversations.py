"""Conversations that the gateway keeps, with the official SDK."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from tests.integration.edge.stage import Stage

TEXT = " tok" * 5
HELLO: Any = {"type": "message", "role": "user", "content": "hello there"}


@pytest.fixture(scope="module", autouse=True)
async def models(stage: Stage) -> None:
    await stage.channel({"talk-chat": "play:tokens=5"}, dialects=("openai_chat",))
    await stage.channel({"talk-responses": "play:tokens=5"}, dialects=("openai_responses",))
    await stage.channel({"talk-claude": "play:tokens=5"}, provider="anthropic-compatible")
    await stage.channel({"talk-slow": "play:tokens=5,first_byte_ms=500"}, dialects=("openai_chat",))


@pytest.fixture
async def client(stage: Stage, key: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with stage.openai(key) as client:
        yield client


@pytest.fixture
async def tenant(stage: Stage) -> AsyncIterator[openai.AsyncOpenAI]:
    """A client of another account."""
    async with stage.openai(await stage.key(await stage.account(credit_nano=10**12))) as client:
        yield client


async def texts(client: openai.AsyncOpenAI, conversation_id: str) -> list[str]:
    """What was said in a conversation, in its order."""
    items = [item async for item in client.conversations.items.list(conversation_id, order="asc", limit=2)]
    return [item.to_dict()["content"][0]["text"] for item in items]  # type: ignore[index]


async def test_from_its_begin_to_its_end(client: openai.AsyncOpenAI) -> None:
    made = await client.conversations.create(metadata={"topic": "a"}, items=[HELLO])
    assert (made.object, made.metadata) == ("conversation", {"topic": "a"})
    assert (await client.conversations.retrieve(made.id)).created_at == made.created_at
    assert (await client.conversations.update(made.id, metadata={"topic": "b"})).metadata == {"topic": "b"}
    added = await client.conversations.items.create(made.id, items=[HELLO, {"role": "assistant", "content": "hi"}])
    assert len(added.data) == 2
    assert await texts(client, made.id) == ["hello there", "hello there", "hi"]
    newest = await client.conversations.items.list(made.id, limit=1)
    assert newest.data[0].id == added.data[1].id
    one = await client.conversations.items.retrieve(added.data[1].id or "", conversation_id=made.id)
    assert one.id == added.data[1].id
    left = await client.conversations.items.delete(added.data[0].id or "", conversation_id=made.id)
    assert left.id == made.id
    assert await texts(client, made.id) == ["hello there", "hi"]
    with pytest.raises(openai.NotFoundError):
        await client.conversations.items.retrieve(added.data[0].id or "", conversation_id=made.id)
    gone = await client.conversations.delete(made.id)
    assert gone.deleted
    for asked in (
        client.conversations.retrieve(made.id),
        client.conversations.delete(made.id),
        client.conversations.update(made.id, metadata={}),
        client.conversations.items.list(made.id),
        client.conversations.items.create(made.id, items=[HELLO]),
        client.conversations.items.delete(added.data[1].id or "", conversation_id=made.id),
        client.responses.create(model="talk-chat", input="hi", conversation=made.id),
    ):
        with pytest.raises(openai.NotFoundError):
            await asked


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_turns_of_several_upstreams(stage: Stage, client: openai.AsyncOpenAI, stream: bool) -> None:
    made = await client.conversations.create(items=[HELLO])
    for number, model in enumerate(("talk-responses", "talk-chat", "talk-claude", "talk-responses")):
        asked: Any = {"model": model, "input": f"question {number}", "conversation": made.id, "store": number != 1}
        if stream:
            async with client.responses.stream(**asked) as events:
                answer = await events.get_final_response()
        else:
            answer = await client.responses.create(**asked)
        assert answer.conversation is not None
        assert answer.conversation.id == made.id
        told = str(stage.upstream.served()[-1]["body"])
        assert all(f"question {before}" in told for before in range(number + 1))
        assert "hello there" in told
    said = ["hello there"]
    for number in range(4):
        said += [f"question {number}", TEXT]
    assert await texts(client, made.id) == said
    went_on = await client.responses.create(model="talk-chat", input="aside", previous_response_id=answer.id)
    assert len(stage.upstream.served()[-1]["body"]["messages"]) == 10
    assert went_on.conversation is None
    await client.responses.delete(answer.id)
    assert await texts(client, made.id) == said


async def test_turns_at_the_same_time_are_all_there(client: openai.AsyncOpenAI) -> None:
    made = await client.conversations.create()
    await asyncio.gather(
        *(
            client.responses.create(model="talk-chat", input=f"turn {number}", conversation={"id": made.id})
            for number in range(24)
        )
    )
    said = await texts(client, made.id)
    assert sorted(said[::2]) == sorted(f"turn {number}" for number in range(24))
    assert said[1::2] == [TEXT] * 24


async def test_one_that_is_taken_away_while_it_is_used(client: openai.AsyncOpenAI) -> None:
    made = await client.conversations.create()
    turn = asyncio.create_task(client.responses.create(model="talk-slow", input="hi", conversation=made.id))
    await asyncio.sleep(0)
    await client.conversations.delete(made.id)
    try:
        assert (await turn).output_text == TEXT
    except openai.NotFoundError as refused:
        # It was gone before the turn began.
        assert refused.code == "conversation_not_found"  # noqa: PT017


async def test_nobody_elses(client: openai.AsyncOpenAI, tenant: openai.AsyncOpenAI) -> None:
    made = await client.conversations.create(items=[HELLO])
    item_id = (await client.conversations.items.list(made.id)).data[0].id or ""
    told = []
    for conversation_id in (made.id, "conv_" + "0" * 32):
        for asked in (
            tenant.conversations.retrieve(conversation_id),
            tenant.conversations.update(conversation_id, metadata={"a": "b"}),
            tenant.conversations.delete(conversation_id),
            tenant.conversations.items.list(conversation_id),
            tenant.conversations.items.create(conversation_id, items=[HELLO]),
            tenant.conversations.items.retrieve(item_id, conversation_id=conversation_id),
            tenant.conversations.items.delete(item_id, conversation_id=conversation_id),
            tenant.responses.create(model="talk-chat", input="hi", conversation=conversation_id),
            tenant.responses.create(model="talk-chat", input=[{"type": "item_reference", "id": item_id}]),
        ):
            with pytest.raises(openai.NotFoundError) as refused:
                await asked
            told.append(refused.value.body)
    assert told[:9] == told[9:]
    assert await texts(client, made.id) == ["hello there"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"metadata": {"a": 1}}, 400),
        ({"items": [HELLO] * 21}, 400),
        ({"items": "hello"}, 400),
        (
            {
                "items": [
                    {"role": "user", "content": [{"type": "input_image", "image_url": "http://169.254.169.254/x"}]}
                ]
            },
            400,
        ),
    ],
)
async def test_what_no_conversation_takes(stage: Stage, key: str, body: dict[str, Any], status: int) -> None:
    async with stage.http(key) as http:
        answer = await http.post("/v1/conversations", json=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert (await http.post("/v1/conversations", content=b"{")).status_code in {400, 415}


async def test_files_of_a_provider_stay_the_operators(tenant: openai.AsyncOpenAI) -> None:
    part: Any = {"type": "input_file", "file_id": "file-1"}
    with pytest.raises(openai.NotFoundError) as refused:
        await tenant.conversations.create(items=[{"role": "user", "content": [part]}])
    assert refused.value.code == "reference_not_found"


async def test_the_schema_names_every_path(stage: Stage, key: str) -> None:
    async with stage.http(key) as http:
        paths = (await http.get("/v1/openapi.json")).json()["paths"]
    assert set(paths["/v1/conversations/{conversation_id}"]) == {"get", "post", "delete"}
    assert set(paths["/v1/conversations/{conversation_id}/items"]) == {"get", "post"}
    assert set(paths["/v1/conversations/{conversation_id}/items/{item_id}"]) == {"get", "delete"}
    assert set(paths["/v1/responses/{response_id}"]) == {"get", "delete"}
    assert {"/v1/responses/{response_id}/input_items", "/v1/responses/{response_id}/cancel"} <= set(paths)
