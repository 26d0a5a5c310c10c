"""Lists of models and prices as everybody, and as one account, gets them; on both databases."""

from collections.abc import Callable
from typing import Any

import pytest

from oneapi.bus.streams import ensure
from oneapi.catalog.listings import ListedTool, ServerTools, encode
from oneapi.runtime.connections import connect_nats
from tests.integration.admin.gateway import ADMIN_TOKEN, Admin, eventually, problem
from tests.integration.own_nats import OwnNats

MODELS = "/api/models/display"
SECRETS = {"api_key": "upstream-credential-1234", "headers": {"x-org": "secret-organisation"}}


async def data(admin: Admin, token: str | None = None, path: str = MODELS) -> dict[str, Any]:
    answer = await admin.speaking_as(token).get(path)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["success"], body["message"]) == (True, "")
    found: dict[str, Any] = body["data"]
    return found


async def channel(admin: Admin, name: str, *models: str, **fields: Any) -> dict[str, Any]:
    given = {"provider": "openai", "base_url": "https://hidden-upstream.example/v1"} | fields
    return await admin.create("channels", name=name, models=list(models), **given)


async def test_anyone_sees_what_is_public(admin: Admin) -> None:
    await channel(
        admin, "inner", "gpt-5", "unseen", public_name="Fast", hidden_models=["unseen"],
        model_mapping={"gpt-5": "gpt-5-deployment"}, groups=["gold"], **SECRETS,
    )  # fmt: skip
    await admin.client.put("/api/prices/gpt-5", json={"input": "1.25", "output": "10"})
    answer = await admin.speaking_as(None).get(MODELS)
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["vary"] == "Authorization, Cookie"
    assert answer.headers["access-control-allow-origin"] == "*"
    found = answer.json()["data"]
    assert list(found) == ["openai:Fast", "sandbox:sandbox"]
    assert found["openai:Fast"]["models"]["gpt-5"]["input_price"] == 1.25
    prices = await admin.speaking_as(None).get("/pricing.md")
    assert "| Fast | gpt-5 | 1.25 | 1.25 | 10 |" in prices.text
    assert prices.headers["x-catalog-revision"] == answer.headers["x-catalog-revision"]
    for text in (answer.text, prices.text):
        for secret in ("inner", "unseen", "deployment", "hidden-upstream", "upstream-credential", "organisation"):
            assert secret not in text


async def test_who_says_who_it_is_sees_its_group(admin: Admin) -> None:
    await channel(admin, "golden", "a", groups=["gold"])
    await channel(admin, "plain", "a")
    account = await admin.create("accounts", name="team", group="gold")
    token = await admin.create("tokens", name="t", role="member", account_id=account["id"])
    assert list(await data(admin)) == ["openai:golden", "openai:plain", "sandbox:sandbox"]
    assert list(await data(admin, ADMIN_TOKEN)) == ["openai:plain", "sandbox:sandbox"]
    assert list(await data(admin, token["token"])) == ["openai:golden", "sandbox:sandbox"]
    answer = await admin.client.get(MODELS)
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "access-control-allow-origin" not in answer.headers
    again = await admin.client.get(MODELS, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_session_sees_its_group_and_one_that_has_ended_is_anyone(admin: Admin) -> None:
    await channel(admin, "golden", "a", groups=["gold"])
    browser = admin.speaking_as(None)
    assert (await browser.post("/api/session", json={"token": ADMIN_TOKEN})).status_code in {200, 201}
    assert list((await browser.get(MODELS)).json()["data"]) == ["sandbox:sandbox"]
    stale = await admin.speaking_as(None).get(MODELS, headers={"cookie": "oneapi_session=gone"})
    assert list(stale.json()["data"]) == ["openai:golden", "sandbox:sandbox"]


@pytest.mark.parametrize("token", ["sk-relay-key", "nonsense"])
async def test_no_other_credential_counts(untouched: Admin, token: str) -> None:
    problem(await untouched.speaking_as(token).get(MODELS), 401, "unauthenticated")


async def test_conditions(admin: Admin) -> None:
    await channel(admin, "main", "gpt-5", "text-embedding-3-small")
    await channel(admin, "claude", "claude-opus-4-1", provider="anthropic")
    await admin.client.put("/api/prices/gpt-5", json={"input": "1.25"})

    async def models(query: str) -> set[str]:
        found = await data(admin, path=f"{MODELS}?{query}")
        return {model for each in found.values() for model in each["models"]}

    assert await models("keyword=GPT") == {"gpt-5"}
    assert await models("feature=tools,web_search") == await models("feature=tools&feature=web_search") == {"gpt-5"}
    assert await models("channel_type=anthropic") == await models("channel_type=14") == {"claude-opus-4-1"}
    assert await models("has_reasoning=true") == {"gpt-5", "claude-opus-4-1"}
    assert await models("reasoning_effort=minimal") == {"gpt-5"}
    assert await models("max_input_price=1") == {"sandbox"}
    assert await models("min_context_length=1") == set()
    answer = await admin.speaking_as(None).get(f"{MODELS}?keyword=gpt")
    assert answer.headers["cache-control"] == "public, max-age=60"
    same = await admin.speaking_as(None).get(f"{MODELS}?keyword=gpt", headers={"if-none-match": answer.headers["etag"]})
    assert same.status_code == 304
    head = await admin.speaking_as(None).head(f"{MODELS}?keyword=gpt")
    assert head.headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize("query", ["color=red", "has_image=perhaps", "max_input_price=nan", "min_context_length=-1"])
async def test_conditions_that_there_are_not(untouched: Admin, query: str) -> None:
    assert (await untouched.speaking_as(None).get(f"{MODELS}?{query}")).status_code == 422


async def test_a_price_that_changed_elsewhere_is_in_the_next_answer(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    for price in ("3", "4.000001"):
        assert (await admin.client.put("/api/prices/sandbox", json={"input": price})).status_code == 200
        shown = (await anyone.get(MODELS)).text
        assert f'"input_price":{price},' in shown
        assert f"| sandbox | sandbox | {price} | {price} | 0 |" in (await anyone.get("/pricing.md")).text


async def test_tools_that_mcp_has_listed(own_nats: OwnNats, make_admin: Callable[..., Admin]) -> None:
    admin = make_admin(nats_url=own_nats.url)
    await admin.open(bus=True)
    url = "https://hidden-tools.example/mcp"
    made = await admin.create("mcp-servers", name="search", url=url, prices={"find": "0.01"}, deny=["secret_*"])
    client = await connect_nats(own_nats.url, "test")
    js = client.jetstream()
    await ensure(js)
    bucket = await js.key_value("tools")
    tools = tuple(ListedTool(name=name, description="Finds it.") for name in ("find", "secret_find"))
    await bucket.put(made["id"], encode(ServerTools(server_id=made["id"], listed_at_ms=7, tools=tools)))
    anyone = admin.speaking_as(None)

    async def shown() -> Any:
        return (await anyone.get("/api/tools/display")).json()["data"]

    (found,) = await eventually(shown)
    assert (found["server"]["uuid"], found["server"]["name"]) == (made["id"], "search")
    (tool,) = found["tools"]
    assert (tool["name"], tool["default_pricing"]["usd_per_call"], tool["created_at"]) == ("find", 0.01, 7)
    path = f"/api/mcp-servers/{made['id']}"
    own_nats.kill()
    assert (await admin.client.patch(path, json={"prices": {"find": "0.02"}})).status_code == 200
    # What mcp said stays while NATS is away, and a price counts at once.
    assert (await shown())[0]["tools"][0]["default_pricing"] == {"usd_per_call": 0.02, "quota_per_call": 10_000}
    assert "| search | find | 0.02 |" in (await anyone.get("/pricing.md")).text
    assert "hidden-tools" not in (await anyone.get("/api/tools/display")).text
    await admin.client.patch(path, json={"enabled": False})
    assert await shown() == []
    await client.close()
