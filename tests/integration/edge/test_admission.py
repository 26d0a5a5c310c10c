"""Who may have what: keys, models, prices, budgets, rates."""

import asyncio

import httpx2
import pytest

from oneapi.catalog.types import Budget, KeyLimits
from oneapi.runtime.relay_keys import mint
from tests.integration.edge.stage import Stage, eventually
from tests.servers import unique_name

MESSAGES = [{"role": "user", "content": "hi"}]
PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"]


def body(path: str, model: str = "admitted", **more: object) -> dict[str, object]:
    given: dict[str, object] = {"model": model, **more}
    if path in {"/v1/responses", "/v1/embeddings"}:
        return {**given, "input": "hi"}
    return {**given, "messages": MESSAGES, **({"max_tokens": 10} if path == "/v1/messages" else {})}


@pytest.fixture(scope="module")
async def model(stage: Stage) -> str:
    await stage.channel({"admitted": "play:tokens=2"})
    return "admitted"


async def ask(
    stage: Stage, key: str | None, path: str = PATHS[0], model: str = "admitted", **more: object
) -> httpx2.Response:
    async with stage.http(key) as http:
        return await http.post(path, json=body(path, model, **more))


@pytest.mark.parametrize("path", [*PATHS, "/v1/models"])
async def test_every_bad_key_gets_the_same_answer(stage: Stage, model: str, path: str) -> None:
    disabled = await stage.account(unlimited=True, enabled=False)
    keys = [
        None,
        "",
        "nonsense",
        mint(),
        mint()[:-1] + "!",
        "oat-" + mint()[3:],
        await stage.key(enabled=False),
        await stage.key(expires_at_ms=1),
        await stage.key(allowed_ips=("203.0.113.7",)),
        await stage.key(disabled),
    ]
    await stage.known()
    seen = set()
    for key in keys:
        async with stage.http(key or None) as http:
            if key == "":
                http.headers["authorization"] = "Bearer"
            answer = await (http.get(path) if path == "/v1/models" else http.post(path, json=body(path)))
        assert answer.status_code == 401
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name not in {"x-request-id", "x-oneapi-request-id", "request-id", "date", "server-timing"}
        }
        seen.add((answer.text.replace(answer.headers["x-request-id"], ""), tuple(sorted(headers.items()))))
    assert len(seen) == 1, seen


@pytest.mark.parametrize("header", ["x-api-key", "api-key", "x-goog-api-key"])
async def test_other_places_of_a_key(stage: Stage, key: str, model: str, header: str) -> None:
    async with stage.http() as http:
        answer = await http.post(PATHS[0], json=body(PATHS[0]), headers={header: key})
        assert answer.status_code == 200
        both = {header: key, "authorization": f"Bearer {key}"}
        assert (await http.post(PATHS[0], json=body(PATHS[0]), headers=both)).status_code == 200
        both["authorization"] = f"Bearer {mint()}"
        assert (await http.post(PATHS[0], json=body(PATHS[0]), headers=both)).status_code == 401


async def test_revocation_reaches_the_edge_within_a_second(stage: Stage, model: str) -> None:
    key = await stage.key()
    assert (await ask(stage, key)).status_code == 200
    await stage.change_key(key, None)

    async def refused() -> bool:
        return (await ask(stage, key)).status_code == 401

    await eventually(refused, 1)


@pytest.mark.parametrize("path", PATHS)
async def test_models_that_do_not_exist_for_a_caller(stage: Stage, key: str, model: str, path: str) -> None:
    other_group = await stage.channel({"other-group": "play:"}, groups=("vip",), listed=False)
    narrow = await stage.key(models=("something-else",))
    elsewhere = await stage.key(channels=(other_group.id,))
    for caller, asked in ((key, "no-such"), (key, "other-group"), (narrow, "admitted"), (elsewhere, "admitted")):
        answer = await ask(stage, caller, path, asked)
        assert answer.status_code == 404
        if path != "/v1/messages":
            assert answer.json()["error"]["code"] == "model_not_found"
            assert answer.json()["error"]["param"] == "model"


async def test_a_model_without_a_price(stage: Stage, key: str) -> None:
    await stage.channel({"free": "play:tokens=2"}, price=None)
    prepaid = await stage.account(10**9)
    answer = await ask(stage, key, model="free")
    assert (answer.status_code, answer.headers["x-oneapi-cost-usd"]) == (200, "0")
    event = await stage.event(answer.headers["x-request-id"])
    assert dict(event.usage) == {"input": 11, "output": 2}
    assert not event.HasField("price")
    for limited in (await stage.key(prepaid), await stage.key(budgets=(Budget(amount_nano=10**9),))):
        refused = await ask(stage, limited, model="free")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_priced")


async def test_a_budget_is_never_passed(stage: Stage) -> None:
    model = unique_name("per-call")
    await stage.channel({model: "play:tokens=1,gap_ms=2"}, price={"per_call": 10_000_000_000})
    key = await stage.key(budgets=(Budget(amount_nano=5 * 10_000_000),))
    answers = await asyncio.gather(*(ask(stage, key, model=model) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [402] * 7
    refused = next(answer for answer in answers if answer.status_code == 402)
    assert refused.headers["x-should-retry"] == "false"
    assert "0.05" in refused.text
    served = [answer for answer in answers if answer.status_code == 200]
    events = [await stage.event(answer.headers["x-request-id"]) for answer in served]
    assert [event.amount_nano for event in events] == [10_000_000] * 5
    assert all(event.usage["per_call"] == 1 for event in events)


async def test_output_is_bounded_where_a_limit_holds(stage: Stage, key: str) -> None:
    script = "play:tokens=3"
    channel = await stage.channel({"bounded": script})
    limited = await stage.key(budgets=(Budget(amount_nano=10**9),))
    for caller, asked, sent in ((key, None, None), (limited, None, 8192), (limited, 5, 5)):
        assert (await ask(stage, caller, model="bounded", max_tokens=asked)).status_code == 200
        assert stage.upstream.served(model=script)[-1]["body"].get("max_tokens") == sent
    stage.channels.pop(channel.id)
    await stage.put("channel", channel.id, None)
    await stage.channel({"bounded": script}, limits={"max_output_tokens": 100})
    for caller, asked, sent in ((key, None, 100), (limited, 500, 100), (key, 50, 50)):
        assert (await ask(stage, caller, model="bounded", max_tokens=asked)).status_code == 200
        assert stage.upstream.served(model=script)[-1]["body"].get("max_tokens") == sent


async def test_rates(stage: Stage, model: str) -> None:
    key = await stage.key(limits=KeyLimits(rpm=2))
    answers = [await ask(stage, key) for _ in range(6)]
    assert answers[0].headers["x-ratelimit-limit-requests"] == "2"
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)


async def test_failures_from_one_source_are_slowed(stage: Stage, key: str, model: str) -> None:
    async with stage.http(mint()) as http:
        answers = await asyncio.gather(*(http.get("/v1/models") for _ in range(200)))
    statuses = {answer.status_code for answer in answers}
    assert statuses == {401, 429}
    limited = next(answer for answer in answers if answer.status_code == 429)
    assert int(limited.headers["retry-after"]) >= 1
    assert limited.json()["error"]["code"] == "auth_rate_limited"
    assert (await ask(stage, key)).status_code == 200
