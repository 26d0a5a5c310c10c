"""T: what is under way for one tenant, and another."""

import asyncio
import dataclasses
import functools
import json
import subprocess
import uuid

import httpx2

from tests.e2e.gateway import eventually
from tests.security.echo import Echo
from tests.security.hostile import SECRET, hostile_upstream
from tests.security.table import Absent, Row
from tests.security.world import ASKED, CHAT, World

ACCOUNTS = 20
STREAMS = 200


@functools.cache
def echo_upstream(world: World) -> Echo:
    """An upstream that echoes, and channels to it."""
    server = Echo()
    world.allow(server.port)
    for model in ("echo", "echo-extra"):
        fields = {"provider": "openai-compatible", "base_url": f"http://127.0.0.1:{server.port}/v1"}
        world.gateway.create(
            "channels", name=f"{model} {server.port}", models=[model], groups=["*"], api_key="sk-of-the-echo", **fields
        )
        assert world.gateway.admin.put(f"/api/prices/{model}", json={"input": "1", "output": "1"}).is_success
        eventually(lambda model=model: world.client(world.key).get(f"/v1/models/{model}").status_code == 200)  # type: ignore[misc]
    return server


def mixed_streams(world: World, path: str) -> None:
    """Many streams of many accounts at once: a word of each one's prompt is in its own answer and nowhere else."""
    server = echo_upstream(world)
    keys = [accounts_key(world, number) for number in range(ACCOUNTS)]
    words = [f"canary{uuid.uuid4().hex}" for _ in range(STREAMS)]
    traces = [uuid.uuid4().hex for _ in range(STREAMS)]

    async def ask(client: httpx2.AsyncClient, number: int) -> str:
        headers = {"authorization": f"Bearer {keys[number % ACCOUNTS]}"}
        headers["traceparent"] = f"00-{traces[number]}-{uuid.uuid4().hex[:16]}-01"
        message = [{"role": "user", "content": words[number]}]
        body = {"model": "echo", "messages": message, "stream": path == "streams", "user": words[number]}
        answer = await client.post(CHAT, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def ask_all() -> list[str]:
        limits = httpx2.Limits(max_connections=STREAMS)
        async with httpx2.AsyncClient(base_url=world.gateway.url, timeout=60, limits=limits) as client:
            return await asyncio.gather(*(ask(client, number) for number in range(STREAMS)))

    with asyncio.Runner() as runner:
        answers = runner.run(ask_all())
    server.end_connections()
    for word, answer in zip(words, answers, strict=True):
        assert word in answer
        assert not [other for other in words if other != word and other in answer]
    world.canaries |= set(words)
    for number in range(ACCOUNTS):
        world.bills(keys[number], STREAMS // ACCOUNTS)
    world.collector.wait(traces[-1], lambda spans: any(span.name == "edge request" for span in spans))
    shown = repr([(span, span.attributes) for span in world.collector.find(lambda _: True)])
    assert not [word for word in words if word in shown]
    # Nothing of a prompt is kept: not in the ledger, the spool, the bus, or Redis.
    command = ["grep", "-rlaF", "-f", "-", str(world.gateway.data_dir)]
    found = subprocess.run(command, input="\n".join(words), capture_output=True, text=True, check=False)
    assert found.stdout == ""


@functools.cache
def accounts_key(world: World, number: int) -> str:
    """The key of one of many accounts."""
    account = world.gateway.create("accounts", name=f"one of many {number}", unlimited=True)["id"]
    return world.new_key(account_id=account)


def same_body(world: World, path: str) -> None:
    """The same body by two tenants is two requests upstream, two answers and two bills."""
    server = echo_upstream(world)
    word = f"same{uuid.uuid4().hex}"
    body = {"model": "echo", "messages": [{"role": "user", "content": word}], "stream": path == "streams"}
    seen = set()
    for tenant in (*world.tenants, *world.tenants):
        answer = world.client(tenant.key).post(CHAT, json=body, headers={"idempotency-key": word})
        assert answer.status_code == 200, answer.text
        world.bills(tenant.key, 1)
        seen.add(answer.headers["x-request-id"])
        assert world.gateway.receipt(tenant.key, answer.headers["x-request-id"])["key_id"] == tenant.key_id
    assert len(seen) == 4
    assert sum(word in json.dumps(asked) for asked in server.asked) == 4
    assert not [head for head in server.heads if word in head]


def an_answer_too_many(world: World, path: str) -> None:
    """An upstream that says more than it was asked on a kept connection: nobody gets what was meant for another."""
    echo_upstream(world)
    for number in range(10):
        tenant = world.tenants[number % 2]
        word = f"turn{uuid.uuid4().hex}"
        body = {"messages": [{"role": "user", "content": word}], "stream": path == "streams"}
        answer = world.client(tenant.key).post(CHAT, json={"model": "echo-extra", **body})
        assert answer.status_code == 200, answer.text
        world.bills(tenant.key, 1)
        assert word in answer.text
        assert "extra of" not in answer.text


@dataclasses.dataclass(frozen=True)
class Said:
    """What an upstream's error holds, and what of it no tenant may read."""

    model: str
    never: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.model


def told_errors(world: World, said: Said) -> None:
    """What an upstream says about its own world in an error does not reach a tenant."""
    _, key = hostile_upstream(world)
    for stream in (False, True):
        answer = world.client(key).post(CHAT, json={**ASKED, "model": said.model, "stream": stream})
        assert answer.status_code >= 400, answer.text
        for word in said.never:
            assert word not in answer.text


SAID = [
    Said("its secrets", (SECRET, "10.1.2.3", "http://")),
    Said("its bad key", (SECRET, "10.1.2.3", "Wrong key")),
    Said("its page", ("<html", "tenant-b-deployment")),
    Said("its trace", ("Traceback", "tenant-b-deployment", "/srv/")),
    Said("its 500", ("tenant-b-deployment", "tenant-b.internal")),
    Said("its 404 of a deployment", ("tenant-b.internal", "2001:db8::7")),
]
BOTH = ["streams", "whole answers"]

ROWS: list[Row | Absent] = [
    Row("T-06", "a word of each prompt among many streams", mixed_streams, BOTH),
    Row("T-07", "the same body by two tenants", same_body, BOTH),
    Row("T-11", "another's world in an upstream's error", told_errors, SAID),
    Row("T-12", "an upstream that answers once too often", an_answer_too_many, BOTH),
]
