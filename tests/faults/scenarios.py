"""Directed faults: what random ones don't find. Each is done to a stage under load; the verdict comes afterwards.

They assert only that the fault took place, and what a client may see of it. Whether the money is right is the
checker's business, so that a scenario can be played to a broken gateway too.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
import nats.js.errors
from nats.js import JetStreamContext

from oneapi.bus.subjects import CONSUMER_BILLING, STREAM_LEDGER, USAGE
from tests.e2e.gateway import eventually
from tests.faults.cluster import BILLINGS, EDGES
from tests.faults.load import AT_ONCE, TIMEOUT, Asked, Load, attempt
from tests.faults.stage import NANO, Key, Stage, answered, on_bus, unless

HOPS = {
    "reserve": ("edge-redis", "oneapi_reserve", 30),
    "settle": ("edge-redis", "oneapi_settle", 30),
    "acknowledgement of a publish": ("edge-nats", f"PUB {USAGE}", 12),
    "insert": ("billing-clickhouse", "INSERT INTO", 8),
    "post": ("billing-redis", "oneapi_post", 8),
    "acknowledgement of a message": ("billing-nats", f"$JS.ACK.{STREAM_LEDGER}.{CONSUMER_BILLING}", 8),
}
"""Replies to drop: where, to which requests, and how many."""
GONE_WITHIN_TOKENS = 50
"""An upstream that sends one every 20 ms has sent so many in a second."""


def lost_replies(stage: Stage, what: str) -> None:
    """The server does what it was asked, and the one who asked can't know (F03 to F07)."""
    hop, needle, count = HOPS[what]
    with stage.load() as load:
        stage.cluster.poison(hop, "drop_reply", needle=needle, count=count)
        eventually(lambda: stage.cluster.poison(hop, "look") == 0, 90)
        answered(load, 30)


def bus_down(stage: Stage, seconds: float = 12) -> None:
    """NATS is away for a while: nobody notices (F08)."""
    with stage.load() as load:
        stage.cluster.kill("nats")
        before = load.tally()
        answered(load, 20)
        time.sleep(seconds)
        after = load.tally()
        stage.cluster.run("nats")
        stage.cluster.wait("nats")
        assert after.refused.get(503, 0) == before.refused.get(503, 0), after
    drained(stage, 30)


def drained(stage: Stage, limit_s: float) -> None:
    """Nothing is open any more."""
    client = stage.cluster.redis()
    eventually(lambda: not any(client.zcard(key) for key in client.scan_iter("z:*")), limit_s)


def bus_full(stage: Stage) -> None:
    """The stream has no room and refuses (F09): everything waits in the spools."""

    async def room(js: JetStreamContext, max_bytes: int) -> int:
        info = await js.stream_info(STREAM_LEDGER)
        info.config.max_bytes = max_bytes or info.state.bytes + 1
        await js.update_stream(info.config)
        return info.state.last_seq

    with stage.load() as load:
        last = on_bus(stage, lambda js: room(js, 0))
        answered(load, 100)
        assert on_bus(stage, lambda js: room(js, -1)) <= last + 1
        answered(load, 20)


def redis_hangs(stage: Stage, seconds: float = 4) -> list[Asked]:
    """Redis is suspended (F13). What was asked meanwhile, but for the last second."""
    with stage.load(models=["short"], leaving=0) as load:
        stage.cluster.suspend("redis")
        began = time.time()
        time.sleep(seconds)
        ended = time.time()
        stage.cluster.resume("redis")
        answered(load, 20)
        return [asked for asked in load.records if began + 0.1 < asked.began < ended - 1.0]


def used(stage: Stage, key: Key) -> float:
    """The share of a key's budget that is charged, unposted or reserved."""
    client = stage.cluster.redis()
    best = 0
    for balance in client.scan_iter("b:*"):
        parts = client.hmget(balance, [f"{part}:key:{key.id}:total" for part in ("posted", "unposted", "reserved")])
        best = max(best, sum(int(part or 0) for part in parts))
    return best / stage.limits.budgets[key.id]


def flush_near_limit(stage: Stage) -> None:
    """Redis loses all when limits are nearly used up, the bus is away and an edge is dead (F17)."""
    cluster = stage.cluster
    keys = [stage.key("0.02", stage.account("1000")), stage.key("0.02")]
    texts = [key.text for key in keys]
    with stage.load(texts, ["long"], workers=4, leaving=0, max_tokens=24):
        eventually(lambda: all(used(stage, key) > 0.3 for key in keys), 60)
        cluster.kill("nats")
        eventually(lambda: all(used(stage, key) > 0.9 for key in keys), 60)
    cluster.kill("edge-1")
    cluster.redis().flushall()
    alive = [cluster.edge_urls()[1]]
    with stage.load(texts, ["long"], workers=4, leaving=0, max_tokens=24, edges=alive) as load:
        unless(4, lambda: enough_tried(load))
        cluster.run("nats")
        unless(12, lambda: spent(load, texts))
        cluster.run("edge-1")
        cluster.wait("edge-1")
        eventually(lambda: spent(load, texts), 60)


def enough_tried(load: Load) -> bool:
    return len(load.records) > 400


def spent(load: Load, keys: Sequence[str]) -> bool:
    """Whether every key has been told that its budget is used up."""
    return {record.key for record in list(load.records) if record.status == 402} >= set(keys)


def flush_during_rebuild(stage: Stage, times: int = 8) -> None:
    """Redis loses all again and again, at different steps of being built anew (F18)."""
    client = stage.cluster.redis()
    with stage.load() as load:
        for turn in range(times):
            client.flushall()
            unless(2, lambda: any(client.hexists(key, "rb") for key in client.scan_iter("b:*")))
            time.sleep(turn * 0.02)
        answered(load, 30)


def clients_leave(stage: Stage, each: int = 8) -> None:
    """Clients go away at each place (F20), and the upstream's connection is closed soon after."""
    key = stage.keys[-1]
    urls = stage.cluster.edge_urls()

    async def leave(session: aiohttp.ClientSession, number: int, asked: Asked, patience_s: float | None) -> None:
        try:
            async with asyncio.timeout(patience_s):
                await attempt(session, urls[number % 2], asked)
        except TimeoutError:
            asked.left = True

    async def all_of_them() -> list[Asked]:
        endless = []
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            for number in range(each):
                places = [
                    (stage.asks(key, "slow"), 0.4),
                    (stage.asks(key, "slow", stream=True), 0.4),
                    (stage.asks(key, "endless", stream=True, leaves_after=AT_ONCE), None),
                    (stage.asks(key, "endless", stream=True, leaves_after=6), None),
                    (stage.asks(key, "short", stream=True, leaves_after=4), None),
                ]
                endless += [asked for asked, _ in places[2:4]]
                await asyncio.gather(*(leave(session, number, asked, wait) for asked, wait in places))
        return endless

    for asked in asyncio.run(all_of_them()):
        (entry,) = eventually(lambda asked=asked: served(stage, asked.marker), 10)  # type: ignore[misc]
        assert entry["tokens"] <= max(asked.tokens, 0) + GONE_WITHIN_TOKENS, (asked, entry["tokens"])


def served(stage: Stage, marker: str) -> list[dict[str, Any]]:
    """What the upstream has sent for a request."""
    return [entry for entry in stage.upstream.served() if entry["body"]["messages"][0]["content"] == marker]


def odd_upstreams(stage: Stage, models: Sequence[str]) -> None:
    """Upstreams that cut, lie, refuse and fail (F22, F23)."""
    with stage.load(models=[*models, "short"], leaving=0.1) as load:
        eventually(lambda: len(load.records) > 250, 90)


def exactly_n(stage: Stage, fits: int = 5, of: int = 24, *, count_them: bool = True) -> None:
    """Many ask at once for what is left, and exactly as many get it as fit (F24)."""

    async def ask(key: str, count: int) -> list[Asked]:
        urls = stage.cluster.edge_urls()
        asked = [stage.asks(key, "slow") for _ in range(count)]
        async with aiohttp.ClientSession(timeout=TIMEOUT, connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*(attempt(session, urls[n % 2], one, 4) for n, one in enumerate(asked)))
        return asked

    (first,) = asyncio.run(ask(stage.keys[-1], 1))
    query = f"SELECT reserved_nano FROM ledger_v WHERE client_request_id = '{first.marker}'"
    amount = int(eventually(lambda: stage.cluster.ledger(query), 20)[0][0])
    budget = fits * amount + amount // 2
    key = stage.key(f"{budget / NANO:.9f}", stage.account("1000"))
    asked = asyncio.run(ask(key.text, of))
    granted = [one for one in asked if one.status == 200]
    refused = [one for one in asked if one.status == 402]
    seen = (len(granted), len(refused))
    assert not count_them or seen == (fits, of - fits), [(one.status, one.error) for one in asked]


def edge_wakes_after_its_lease(stage: Stage) -> None:
    """An edge is suspended until its requests are charged as holds, and then goes on (F27). Needs short leases."""
    holds = "SELECT count() FROM ledger WHERE kind = 'hold'"
    with stage.load(models=["long"], leaving=0):
        stage.cluster.suspend("edge-1")
        try:
            eventually(lambda: int(stage.cluster.ledger(holds)[0][0]) > 0, 60)
        finally:
            stage.cluster.resume("edge-1")


def two_writers(stage: Stage, times: int = 2) -> None:
    """The writer is suspended until the other has its lease, and then goes on with what it had in work (F28)."""
    cluster = stage.cluster
    with stage.load() as load:
        for _ in range(times):
            writer = eventually(cluster.writer, 60)
            answered(load, 10)
            cluster.suspend(writer)
            try:
                eventually(lambda writer=writer: cluster.writer() not in {"", writer}, 60)  # type: ignore[misc]
                answered(load, 10)
            finally:
                cluster.resume(writer)
            answered(load, 20)


def duplicates(stage: Stage, times: int = 3) -> None:
    """Every message is in the stream several times, each time with another id (F40)."""
    with stage.load() as load:
        answered(load, 150)

    async def again(js: JetStreamContext) -> int:
        last = (await js.stream_info(STREAM_LEDGER)).state.last_seq
        count = 0
        for sequence in range(1, last + 1):
            try:
                message = await js.get_msg(STREAM_LEDGER, sequence)
            except nats.js.errors.NotFoundError:
                continue
            for turn in range(times if message.subject == USAGE else 0):
                await js.publish(USAGE, message.data or b"", headers={"Nats-Msg-Id": f"again-{turn}-{sequence}-{last}"})
                count += 1
        return count

    assert on_bus(stage, again) > 0
    booked_all(stage)


def booked_all(stage: Stage, limit_s: float = 60) -> None:
    """Waits until billing has acknowledged all that is in the stream."""

    async def waiting(js: JetStreamContext) -> bool:
        info = await js.consumer_info(STREAM_LEDGER, CONSUMER_BILLING)
        last = (await js.stream_info(STREAM_LEDGER)).state.last_seq
        return info.ack_floor is not None and info.ack_floor.stream_seq >= last

    eventually(lambda: on_bus(stage, waiting), limit_s)


def writers_killed_before_the_insert(stage: Stage) -> None:
    """Both billings are killed while what they have fetched can't be inserted."""
    cluster = stage.cluster

    async def has_some(js: JetStreamContext) -> bool:
        """The writer is stuck with something, and more waits behind it; or it has taken more than it could book."""
        info = await js.consumer_info(STREAM_LEDGER, CONSUMER_BILLING)
        delivered = info.delivered.stream_seq if info.delivered is not None else 0
        return (info.num_pending or 0) > 3 or delivered > before

    async def last(js: JetStreamContext) -> int:
        return int((await js.stream_info(STREAM_LEDGER)).state.last_seq)

    async def books(js: JetStreamContext) -> bool:
        info = await js.consumer_info(STREAM_LEDGER, CONSUMER_BILLING)
        return info.ack_floor is not None and info.ack_floor.stream_seq > 0

    with stage.load() as load:
        # A writer whose term is only beginning would fetch nothing.
        eventually(lambda: on_bus(stage, books), 60)
        before = on_bus(stage, last)
        # Killed, not suspended: what lies in a suspended server's socket it would still do afterwards.
        cluster.kill("clickhouse")
        eventually(lambda: on_bus(stage, has_some), 30)
        answered(load, 150)
        for name in BILLINGS:
            cluster.kill(name)
        cluster.run("clickhouse")
        cluster.wait("clickhouse")
        for name in BILLINGS:
            cluster.run(name)
            cluster.wait(name)
        answered(load, 20)


def edges_killed_while_the_bus_is_down(stage: Stage) -> None:
    """Edges are killed with open requests and with bills that could not be shipped."""
    cluster = stage.cluster
    with stage.load() as load:
        answered(load, 40)
        cluster.kill("nats")
        answered(load, 60)
        for name in EDGES:
            cluster.kill(name)
        cluster.run("nats")
        for name in EDGES:
            cluster.run(name)
            cluster.wait(name)
        answered(load, 20)
