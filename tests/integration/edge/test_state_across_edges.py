"""What is stored is there at once on every edge, after an edge was killed, and no longer when its time is over."""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiohttp import web

from tests.integration.edge.formats import events
from tests.integration.edge.stage import ROOT, Stage, eventually
from tests.ports import free_port

TEXT = " tok" * 5


@contextlib.asynccontextmanager
async def another_edge(stage: Stage) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """A second edge on the same bus; its URL and its process."""
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="oneapi-edge-"))
    with (folder / "edge.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.edge", cwd=ROOT, env=stage.environment(port, folder), stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"

    async def ready() -> bool:
        try:
            async with httpx2.AsyncClient(base_url=url) as http:
                return (await http.get("/readyz")).status_code == 200
        except httpx2.TransportError:
            return False

    try:
        await eventually(ready, 60)
        yield url, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_begun_on_one_edge_that_is_killed_and_gone_on_from_on_another(stage: Stage, key: str) -> None:
    await stage.channel({"two-chat": "play:tokens=5"}, dialects=("openai_chat",))
    await stage.channel({"two-claude": "play:tokens=5"}, provider="anthropic-compatible")
    headers = {"authorization": f"Bearer {key}"}
    async with another_edge(stage) as (url, process):
        client = stage.openai(key)
        made = await client.conversations.create()
        asked = {"model": "two-chat", "input": "before", "stream": True, "conversation": made.id}

        async def known() -> bool:
            async with httpx2.AsyncClient(base_url=url, headers=headers) as http:
                listed = (await http.get("/v1/models")).json().get("data", [])
            return {"two-chat", "two-claude"} <= {row["id"] for row in listed}

        await eventually(known)
        async with (
            httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as http,
            http.stream("POST", "/v1/responses", json=asked) as answer,
        ):
            text = ""
            async for piece in answer.aiter_text():
                text += piece
                if "response.completed" in text and text.endswith("\n\n"):
                    # At once: nothing that has been promised may still be on its way.
                    process.kill()
                    break
        ended = events(text)[-1]["response"]
        assert ended["store"] is True
        stored = await client.responses.retrieve(ended["id"])
        assert stored.output_text == TEXT
        for named in ({"previous_response_id": ended["id"]}, {"conversation": made.id}):
            went_on = await client.responses.create(model="two-claude", input="after", **named)
            assert went_on.output_text == TEXT
            sent = stage.upstream.served()[-1]["body"]["messages"]
            assert [message["role"] for message in sent] == ["user", "assistant", "user"]
            assert "before" in str(sent[0])
        await client.close()


@pytest.fixture(scope="module")
async def brief(redis_url: str) -> AsyncIterator[Stage]:
    """A stage whose responses live for ten seconds, and whose bus the tests may take away."""
    stage = Stage(redis_url, {"ONEAPI_STATE_DAYS": str(10 / 86_400)})
    try:
        await stage.start()
        yield stage
    finally:
        await stage.stop()


async def test_what_has_lived_its_time_is_gone(brief: Stage) -> None:
    await brief.channel({"brief": "play:tokens=5"}, dialects=("openai_chat",))
    key = await brief.key()
    async with brief.http(key) as http:
        stored = (await http.post("/v1/responses", json={"model": "brief", "input": "hi"})).json()

        async def gone() -> bool:
            return (await http.get(f"/v1/responses/{stored['id']}")).status_code == 404

        await eventually(gone, 30)
        asked = {"model": "brief", "input": "b", "previous_response_id": stored["id"]}
        refused = await http.post("/v1/responses", json=asked)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "previous_response_not_found")


async def test_while_the_bus_is_away(brief: Stage) -> None:
    """Answers are given and say that they aren't stored; what goes on from something costs nothing."""
    await brief.channel({"away": "play:tokens=5"}, dialects=("openai_responses",))
    key = await brief.key()
    async with brief.http(key) as http:
        stored = (await http.post("/v1/responses", json={"model": "away", "input": "hi"})).json()
        brief.nats.kill()
        try:
            answer = await http.post("/v1/responses", json={"model": "away", "input": "hi"})
            assert answer.status_code == 200, answer.text
            assert answer.json()["store"] is False
            assert answer.headers["x-oneapi-loss"] == "store"
            streamed = await http.post("/v1/responses", json={"model": "away", "input": "hi", "stream": True})
            assert events(streamed.text)[-1]["type"] == "response.completed"
            assert events(streamed.text)[-1]["response"]["store"] is False
            before = len(brief.upstream.served())
            for named in ({"previous_response_id": stored["id"]}, {"conversation": "conv_" + "0" * 32}):
                refused = await http.post("/v1/responses", json={"model": "away", "input": "b", **named})
                assert (refused.status_code, refused.json()["error"]["code"]) == (503, "state_unavailable")
                assert int(refused.headers["retry-after"]) > 0
            assert len(brief.upstream.served()) == before
        finally:
            brief.nats.start()


async def test_a_conversation_that_cannot_be_told_of_its_turn(brief: Stage) -> None:
    """The client hears of it, as the next turn would go on without this one; what it got is paid for."""
    await brief.channel({"talks": "play:tokens=3,gap_ms=200"}, dialects=("openai_chat",))
    key = await brief.key()
    async with brief.http(key) as http:
        made = (await http.post("/v1/conversations", json={})).json()
        asked = {"model": "talks", "input": "hi", "conversation": made["id"]}
        text = ""
        async with http.stream("POST", "/v1/responses", json={**asked, "stream": True}) as answer:
            assert answer.status_code == 200
            try:
                async for piece in answer.aiter_text():
                    if not text:
                        brief.nats.kill()
                    text += piece
            finally:
                brief.nats.start()
        assert [event["type"] for event in events(text)][-2:] == ["error", "response.failed"]
        assert events(text)[-2]["code"] == "state_unavailable"
        assert events(text)[-1]["response"]["status"] == "failed"
        assert events(text)[-1]["response"]["store"] is False
        event = await brief.event(answer.headers["x-request-id"])
        assert (event.outcome, event.evidence) == ("ok", "provider")
        assert event.amount_nano > 0


class Thinker:
    """An upstream that reasons, and refuses reasoning that isn't its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[dict[str, Any]] = []
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        app = web.Application()
        app.router.add_post("/v1/responses", self._answer)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        for item in body["input"] if isinstance(body["input"], list) else ():
            if item.get("type") == "reasoning":
                assert (item["id"], item["encrypted_content"]) == (f"rs_of_{self.name}", f"thoughts of {self.name}")
        thought = {"type": "reasoning", "id": f"rs_of_{self.name}", "summary": []}
        thought["encrypted_content"] = f"thoughts of {self.name}"
        said = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant"}
        said["content"] = [{"type": "output_text", "text": "hm", "annotations": [], "logprobs": []}]  # type: ignore[assignment]
        usage = {"input_tokens": 5, "output_tokens": 5, "total_tokens": 10}
        response = {"id": "resp_x", "object": "response", "status": "completed", "model": body["model"], "usage": usage}
        return web.json_response({**response, "created_at": 1, "output": [thought, said]})


async def test_reasoning_goes_back_to_who_wrote_it(stage: Stage, key: str) -> None:
    await stage.channel({"think-claude": "play:tokens=5"}, provider="anthropic-compatible")
    thinkers = [Thinker("one"), Thinker("other")]
    for thinker in thinkers:
        await thinker.start()
        model = f"think-{thinker.name}"
        await stage.channel({model: "gpt-5.4"}, provider="openai", base_url=thinker.url, dialects=("openai_responses",))
    try:
        async with stage.http(key) as http:
            begun = (await http.post("/v1/responses", json={"model": "think-one", "input": "a"})).json()
            assert thinkers[0].asked[-1]["include"] == ["reasoning.encrypted_content"]
            asked = {"input": "b", "previous_response_id": begun["id"]}
            same = await http.post("/v1/responses", json={"model": "think-one", **asked})
            assert same.status_code == 200, same.text
            assert "x-oneapi-loss" not in same.headers
            assert [item.get("type") for item in thinkers[0].asked[-1]["input"]].count("reasoning") == 1
            strict = {"x-oneapi-strict": "1"}
            assert (
                await http.post("/v1/responses", json={"model": "think-one", **asked}, headers=strict)
            ).status_code == 200
            for other in ("think-other", "think-claude"):
                answer = await http.post("/v1/responses", json={"model": other, **asked})
                assert answer.status_code == 200, answer.text
                assert answer.headers["x-oneapi-loss"] == "reasoning_history"
                refused = await http.post("/v1/responses", json={"model": other, **asked}, headers=strict)
                assert (refused.status_code, refused.json()["error"]["code"]) == (400, "conversion_loss")
            assert "thoughts" not in json.dumps(thinkers[1].asked[0]["input"])
            listed = (await http.get(f"/v1/responses/{same.json()['id']}/input_items?order=asc")).json()["data"]
            assert len({item["id"] for item in listed}) == len(listed) == 4
    finally:
        for thinker in thinkers:
            await thinker.stop()
