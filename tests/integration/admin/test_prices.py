"""Prices through the whole application, on both databases."""

from typing import Any

import pytest

from oneapi.catalog.types import SANDBOX_CHANNEL_ID
from tests.integration.admin.gateway import Admin, problem

PRICE = {"input": "2.5", "cached_input": "0.25", "output": "10", "per_call": "0.001"}


async def test_a_price_lives_in_versions(admin: Admin) -> None:
    path = "/api/prices/vendor/model-x"
    first = await admin.client.put(path, json=PRICE)
    assert first.status_code == 201, first.text
    assert {name: first.json()[name] for name in PRICE} == PRICE
    assert first.json()["model"] == "vendor/model-x"
    again = await admin.client.put(path, json=PRICE)
    assert (again.status_code, again.json(), again.headers["x-oneapi-changed"]) == (200, first.json(), "")
    second = await admin.client.put(path, json=PRICE | {"output": "12"})
    assert second.status_code == 200
    assert second.json()["id"] != first.json()["id"]
    assert second.json()["output"] == "12"
    assert [version["output"] for version in second.json()["versions"]] == ["12"]
    third = await admin.client.patch(path, json={"per_call": None, "reasoning": "20"})
    assert "per_call" not in third.json()
    assert (third.json()["reasoning"], third.json()["output"]) == ("20", "12")
    assert (await admin.client.get(path)).json() == third.json()
    assert [row["model"] for row in (await admin.client.get("/api/prices")).json()["data"]] == [
        "sandbox",
        "vendor/model-x",
    ]
    assert (await admin.client.delete(path)).status_code == 204
    problem(await admin.client.get(path), 404, "not_found")
    problem(await admin.client.delete(path), 404, "not_found")
    problem(await admin.client.patch(path, json={"output": "1"}), 404, "not_found")
    actions = [entry["action"] for entry in await admin.audit(resource_id="vendor/model-x")]
    assert actions == ["price.delete", "price.update", "price.update", "price.create"]


async def test_a_future_version_waits(admin: Admin) -> None:
    path = "/api/prices/m"
    await admin.client.put(path, json=PRICE)
    future = await admin.client.put(path, json={"input": "1", "effective_from": "2040-01-01T00:00:00Z"})
    assert future.status_code == 200
    assert future.json()["input"] == "2.5"
    assert [version["input"] for version in future.json()["versions"]] == ["2.5", "1"]
    replaced = await admin.client.put(path, json={"input": "3", "effective_from": "2040-01-01T00:00:00Z"})
    assert [version["input"] for version in replaced.json()["versions"]] == ["2.5", "3"]
    same = await admin.client.put(path, json={"input": "3", "effective_from": "2040-01-01T00:00:00Z"})
    assert same.headers["x-oneapi-changed"] == ""
    unchanged = await admin.client.put(path, json=PRICE)
    assert unchanged.headers["x-oneapi-changed"] == ""
    now = await admin.client.put(path, json={"input": "2"})
    assert [version["input"] for version in now.json()["versions"]] == ["2", "3"]


async def test_the_past_is_never_edited(admin: Admin) -> None:
    path = "/api/prices/m"
    old = await admin.client.put(path, json={"input": "1", "effective_from": "2020-01-01T00:00:00Z"})
    assert old.status_code == 201
    for when in ("2020-01-01T00:00:00Z", "2019-01-01T00:00:00Z"):
        problem(await admin.client.put(path, json={"input": "2", "effective_from": when}), 422, "price_in_force")
    assert (await admin.client.put(path, json={"input": "2", "effective_from": "2021-01-01T00:00:00Z"})).json()[
        "input"
    ] == "2"


async def test_tiers_and_windows(admin: Admin) -> None:
    body = {
        "input": "1",
        "output": "2",
        "tiers": [
            {"above_input_tokens": 200000, "input": "2"},
            {"above_input_tokens": 1000, "prices": {"input": "1.5"}},
        ],
        "time_windows": [
            {"timezone": "Asia/Shanghai", "days": [0, "sun", "Friday"], "from": "22:30", "to": "06:00", "output": "1"}
        ],
    }
    made = (await admin.client.put("/api/prices/m", json=body)).json()
    assert made["tiers"] == [
        {"above_input_tokens": 1000, "input": "1.5"},
        {"above_input_tokens": 200000, "input": "2"},
    ]
    assert made["time_windows"] == [
        {"timezone": "Asia/Shanghai", "days": [0, 4, 6], "from": "22:30", "to": "06:00", "output": "1"}
    ]
    assert (await admin.client.get("/api/prices/m")).json() == made


async def test_a_channels_own_price(admin: Admin) -> None:
    await admin.client.put("/api/prices/m", json={"input": "1"})
    own = await admin.client.put("/api/prices/m", json={"input": "0.5", "channel": SANDBOX_CHANNEL_ID})
    assert (own.status_code, own.json()["channel"]) == (201, SANDBOX_CHANNEL_ID)
    found = await admin.client.get("/api/prices/m", params={"channel": SANDBOX_CHANNEL_ID})
    assert found.json()["input"] == "0.5"
    assert (await admin.client.get("/api/prices/m")).json()["input"] == "1"
    problem(await admin.client.put("/api/prices/m", json={"input": "1", "channel": "ch_no"}), 422, "unknown_channel")
    member = await admin.token("member")
    problem(await member.get("/api/prices/m", params={"channel": SANDBOX_CHANNEL_ID}), 404, "not_found")
    assert all(row.get("channel") is None for row in (await member.get("/api/prices")).json()["data"])
    assert (await admin.client.delete(f"/api/channels/{SANDBOX_CHANNEL_ID}")).status_code == 204
    problem(await admin.client.get("/api/prices/m", params={"channel": SANDBOX_CHANNEL_ID}), 404, "not_found")


async def test_pages_of_prices(admin: Admin) -> None:
    for number in range(5):
        await admin.client.put(f"/api/prices/m{number}", json={"input": "1"})
    seen: list[str] = []
    params = {"limit": "2"}
    while True:
        page = (await admin.client.get("/api/prices", params=params)).json()
        seen += [row["model"] for row in page["data"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == ["m0", "m1", "m2", "m3", "m4", "sandbox"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"input": None},
        {"input": 1},
        {"input": "-1"},
        {"input": "0.0000001"},
        {"input": "1e3"},
        {"input": "1000001"},
        {"per_call": "10001"},
        {"per_call": "0.0000000000001"},
        {"inputs": "1"},
        {"input": "1", "tiers": [{"above_input_tokens": 5}]},
        {"input": "1", "tiers": [{"above_input_tokens": 0, "input": "1"}]},
        {"input": "1", "tiers": [{"above_input_tokens": 5, "input": "1"}, {"above_input_tokens": 5, "input": "2"}]},
        {"input": "1", "time_windows": [{"from": "9:00", "to": "10:00", "input": "1"}]},
        {"input": "1", "time_windows": [{"from": "09:00", "to": "24:01", "input": "1"}]},
        {"input": "1", "time_windows": [{"from": "09:00", "to": "10:00", "days": [7], "input": "1"}]},
        {"input": "1", "time_windows": [{"from": "09:00", "to": "10:00", "days": [], "input": "1"}]},
        {"input": "1", "time_windows": [{"start": 1, "end": 2, "input": "1"}]},
        {"input": "1", "effective_from": "now"},
    ],
    ids=str,
)
async def test_what_is_wrong_is_refused(untouched: Admin, wrong: dict[str, Any]) -> None:
    assert (await untouched.client.put("/api/prices/m", json=wrong)).status_code == 422


async def test_a_dry_run_changes_nothing(admin: Admin) -> None:
    answer = await admin.client.put("/api/prices/m", json=PRICE, headers={"x-oneapi-dry-run": "1"})
    assert (answer.status_code, answer.headers["x-oneapi-dry-run"]) == (201, "1")
    problem(await admin.client.get("/api/prices/m"), 404, "not_found")
    assert await admin.audit(resource_id="m") == []
