"""Two edges and two routers act as one: in limits, revocations, changes of the catalog and what channels did."""

import asyncio
import contextlib
import time
from collections import Counter

import httpx2

from tests.e2e.gateway import eventually
from tests.replicas.stand import CHAT, EDGES, ROUTERS, Stand, body

RPM = 20
REVOKED_WITHIN_S = 1.0


def test_a_rate_holds_over_both_edges(stand: Stand) -> None:
    stand.channel({"rated": "play:tokens=1"})
    key, _ = stand.key(limits={"rpm": RPM})
    began = time.monotonic()
    answers = [stand.ask(EDGES[turn % 2], key, "rated") for turn in range(2 * RPM)]
    refilled = (time.monotonic() - began) * RPM / 60
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 429}
    assert RPM <= statuses[200] <= RPM + refilled + 1
    refused = [answer for answer in answers if answer.status_code == 429]
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)


def test_concurrency_holds_over_both_edges(stand: Stand) -> None:
    stand.channel({"slow-stream": "play:tokens=3000,gap_ms=20", "one-more": "play:tokens=1"})
    key, _ = stand.key(limits={"concurrency": 4})
    headers = {"authorization": f"Bearer {key}"}
    with contextlib.ExitStack() as streams:
        for turn in range(4):
            client = streams.enter_context(httpx2.Client(base_url=stand.url(EDGES[turn % 2]), timeout=30))
            answer = streams.enter_context(
                client.stream("POST", CHAT, json=body("slow-stream", stream=True), headers=headers)
            )
            assert answer.status_code == 200
        assert [stand.ask(edge, key, "one-more").status_code for edge in EDGES] == [429, 429]
        # The last stream was on the second edge; its place is free on the first.
        answer.close()
        eventually(lambda: stand.ask(EDGES[0], key, "one-more").status_code == 200)


async def test_a_budget_holds_over_both_edges(stand: Stand) -> None:
    stand.channel({"per-call": "play:tokens=1,gap_ms=5"})
    stand.price("per-call", per_call="0.01")
    key, identity = stand.key(budget={"amount_usd": "0.20", "window": "total"})
    probe, _ = stand.key()
    for edge in EDGES:
        await asyncio.to_thread(
            eventually,
            lambda edge=edge: stand.ask(edge, probe, "per-call").headers.get("x-oneapi-cost-usd") == "0.01",
        )
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=headers, limits=httpx2.Limits(max_connections=60), timeout=60) as client:
        asked = (client.post(stand.url(EDGES[turn % 2]) + CHAT, json=body("per-call")) for turn in range(60))
        answers = await asyncio.gather(*asked)
    assert Counter(answer.status_code for answer in answers) == {200: 20, 402: 40}
    await asyncio.to_thread(eventually, lambda: stand.booked(identity) == 20, 15)


def test_a_channel_that_fails_on_one_edge_is_avoided_by_both(stand: Stand) -> None:
    bad = stand.channel({"learned": "play:tokens=2,status=500"}, priority=10)
    good = stand.channel({"learned": "play:tokens=2"}, priority=0)
    key, _ = stand.key()
    for router in ROUTERS:
        eventually(lambda router=router: not met(stand, key, router, bad))  # type: ignore[misc]
    before = len(stand.upstream.served(model="play:tokens=2,status=500"))
    answers = [stand.ask(edge, key, "learned") for edge in reversed(EDGES) for _ in range(10)]
    assert {answer.headers["x-oneapi-channel"] for answer in answers} == {good}
    assert len(stand.upstream.served(model="play:tokens=2,status=500")) == before


def met(stand: Stand, key: str, router: str, channel: str) -> bool:
    """Whether a router would still try the channel; if so the first edge meets its failure once more."""
    chosen, reason = stand.explain(router, "learned")[channel]
    if chosen:
        assert stand.ask(EDGES[0], key, "learned").status_code == 200
    else:
        assert "failures in a row" in reason
    return chosen


def test_a_revoked_key_is_refused_by_both_within_a_second(stand: Stand) -> None:
    key, identity = stand.key()
    stand.delete_key(identity)
    began = time.monotonic()
    for edge in EDGES:
        eventually(lambda edge=edge: stand.get(edge, key, "/v1/models") == 401, REVOKED_WITHIN_S)  # type: ignore[misc]
    assert time.monotonic() - began < REVOKED_WITHIN_S


def test_both_edges_use_a_new_channel_and_a_new_price(stand: Stand) -> None:
    key, _ = stand.key()
    assert {stand.ask(edge, key, "fresh").status_code for edge in EDGES} == {404}
    channel = stand.channel({"fresh": "play:tokens=2"})
    for edge in EDGES:
        eventually(lambda edge=edge: cost(stand, edge, key) == (channel, "0.000038"))  # type: ignore[misc]
    stand.price("fresh", input="20", output="80")
    for edge in EDGES:
        eventually(lambda edge=edge: cost(stand, edge, key) == (channel, "0.00038"))  # type: ignore[misc]


def cost(stand: Stand, edge: str, key: str) -> tuple[str, str]:
    """The channel that served a request through an edge, and what that cost."""
    answer = stand.ask(edge, key, "fresh")
    return answer.headers.get("x-oneapi-channel", ""), answer.headers.get("x-oneapi-cost-usd", "")
