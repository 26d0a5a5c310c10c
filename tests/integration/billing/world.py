"""A bus, a Redis and a ledger of one test's own, with edges and the catalog played by the test."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import grpc
import msgspec
import nats.js.errors
from clickhouse_connect.driver.asyncclient import AsyncClient
from nats.aio.client import Client as NatsClient
from redis.asyncio import Redis

from oneapi.bus import publisher
from oneapi.bus.streams import BUCKETS, ensure
from oneapi.bus.subjects import (
    BUCKET_CATALOG,
    BUCKET_STATE,
    CREDIT,
    STREAM_DEAD_LETTERS,
    STREAM_LEDGER,
    USAGE,
    bucket_stream,
)
from oneapi.catalog.entries import encode, kv_key
from oneapi.catalog.types import Account
from oneapi.pricing.charge import lines, total_nano
from oneapi.runtime import redis_functions, rpc
from oneapi.runtime.connections import connect_clickhouse, connect_nats, connect_redis
from oneapi.runtime.ids import uuid7
from proto.billing.v1.billing_pb2 import Balance, GetBalanceRequest, GetReceiptRequest, GetUsageReply, GetUsageRequest
from proto.billing.v1.billing_pb2_grpc import BillingStub
from proto.events.v1.events_pb2 import (
    AppliedPrice,
    Attempt,
    CreditGranted,
    OpenReservation,
    SpoolSync,
    UsageBatch,
    UsageSettled,
)
from services.billing.service import BillingService
from services.billing.settings import Settings, StoreSettings
from services.billing.writer import Pace
from tests.ports import free_port

SECRET = "only for tests"
RATES = {"input": 1_500, "output": 6_001}
"""pico-USD per token; sums of them need rounding up."""
QUICK = Pace(reap_s=0.2, rebase_s=0.3, rebase_share=1.0, rollup_s=0.1, rollup_first_s=0.2, audit_s=0.5, lag_s=0.5)
NEVER = Pace(reap_s=900, rebase_s=900, rollup_s=900, rollup_first_s=900, audit_s=900, lag_s=900)
"""Nothing but batches changes anything."""
_offsets = itertools.count(1)


async def until(condition: Callable[[], Awaitable[Any]], limit_s: float = 15.0) -> Any:
    """Waits until the condition's answer is true, and returns it."""
    deadline = time.monotonic() + limit_s
    while True:
        if answer := await condition():
            return answer
        assert time.monotonic() < deadline, "the condition was not met in time"
        await asyncio.sleep(0.02)


def usage_event(account_id: str, **changes: Any) -> UsageSettled:
    """A request that was priced as an edge does it; anything may be changed."""
    request_id = changes.pop("request_id", None) or uuid7()
    usage = changes.pop("usage", {"input": 11, "output": 7})
    rates = changes.pop("rates", RATES)
    version = changes.pop("version", 2)
    amount = total_nano(lines(usage, rates or {}))
    now_ms = time.time_ns() // 1_000_000
    event = UsageSettled(
        event_id=f"{request_id}:{'final' if version == 2 else 'est'}",
        request_id=request_id,
        account_id=account_id,
        key_id="key_1",
        endpoint="chat",
        model="m",
        channel_id="ch_1",
        attempts=[Attempt(channel_id="ch_1", upstream_model="up", status=200, outcome="ok", ms=12)],
        usage=usage,
        evidence="provider",
        amount_nano=amount,
        reserved_nano=max(amount, 1_000),
        outcome="ok",
        reserved_at_ms=now_ms,
        ended_at_ms=now_ms + 12,
        edge_id="edge-1",
        status=200,
        version=version,
    )
    if rates is not None:
        event.price.CopyFrom(AppliedPrice(id="price_1", pico_per_unit=rates))
    event.MergeFrom(UsageSettled(**changes))
    return event


class Replica:
    """One billing service inside the test's process."""

    def __init__(self, service: BillingService, port: int, health_port: int) -> None:
        self.service = service
        self.health_url = f"http://127.0.0.1:{health_port}"
        self._channel = rpc.channel((f"127.0.0.1:{port}",), SECRET)
        self.stub = BillingStub(self._channel)

    async def stop(self, *, orderly: bool = True) -> None:
        """Ends it: as at a signal, or letting go of everything at once."""
        await self._channel.close()
        if orderly:
            await self.service.drain(5.0)
        await self.service.stop()

    async def usage(self, *group_by: str, **narrowed: Any) -> list[dict[str, Any]]:
        """Usage of today and the days before."""
        now_ms = time.time_ns() // 1_000_000
        question = {"from_ms": now_ms - 10 * 86_400_000, "to_ms": now_ms + 86_400_000, **narrowed}
        reply: GetUsageReply = await self.stub.GetUsage(GetUsageRequest(group_by=group_by, **question))
        return [
            {
                **row.group,
                "requests": row.requests,
                "errors": row.errors,
                "cost_nano": row.cost_nano,
                "usage": dict(row.usage),
            }
            for row in reply.rows
        ]


class World:
    """The stores, and what edges and admin do to them."""

    def __init__(self, urls: StoreSettings, connection: NatsClient, redis: Redis, clickhouse: AsyncClient) -> None:
        self.urls = urls
        self.nats = connection
        self.js = connection.jetstream()
        self.redis = redis
        self._commands: redis_functions.Commands = redis
        self.clickhouse = clickhouse
        self.money = redis_functions.MoneyFunctions(redis)
        self.replicas: list[Replica] = []
        self._revision = itertools.count(1)

    async def empty(self) -> None:
        """Removes what another test left on the shared servers."""
        for stream in (STREAM_LEDGER, STREAM_DEAD_LETTERS, *(bucket_stream(bucket) for bucket in BUCKETS)):
            with contextlib.suppress(nats.js.errors.NotFoundError):
                await self.js.delete_stream(stream)
        await ensure(self.js)
        await self.redis.flushall()
        await redis_functions.ensure(self.redis)

    async def close(self) -> None:
        for replica in self.replicas:
            await replica.stop(orderly=False)
        await self.clickhouse.close()
        await self.redis.aclose()
        await self.nats.close()

    # Billing ---------------------------------------------------------------------------------------------------

    async def billing(self, *, pace: Pace = NEVER, name: str = "replica-1", barrier_s: float = 60.0) -> Replica:
        """A replica that has started; it may stand by."""
        port, health_port = free_port(), free_port()
        settings = Settings(
            stores=self.urls,
            host="127.0.0.1",
            port=port,
            health_port=health_port,
            metrics_port=None,
            secret_key=SECRET,
            replica=name,
            lease_s=1.0,
            barrier_max_wait_s=barrier_s,
            nats_replicas=1,
            trace_sample=0.0,
            otlp_endpoint=None,
            log_level="info",
        )
        service = BillingService(settings, pace)
        replica = Replica(service, port, health_port)
        self.replicas.append(replica)
        await service.start()
        return replica

    async def writer(self, **options: Any) -> Replica:
        """A replica that writes."""
        replica = await self.billing(**options)
        await until(lambda: _value(replica.service.writing))
        return replica

    async def stop(self, replica: Replica, *, orderly: bool = True) -> None:
        self.replicas.remove(replica)
        await replica.stop(orderly=orderly)

    # Admin -----------------------------------------------------------------------------------------------------

    async def account(self, account_id: str, *, unlimited: bool = False) -> None:
        bucket = await self.js.key_value(BUCKET_CATALOG)
        value = Account(id=account_id, name=account_id, unlimited=unlimited)
        entry = encode("account", account_id, next(self._revision), value)
        await bucket.put(kv_key("account", account_id), entry)

    async def opened(self, account_id: str, *, unlimited: bool = False) -> None:
        """Makes an account and waits until it is open."""
        await self.account(account_id, unlimited=unlimited)
        await until(lambda: self.is_open(account_id))

    async def is_open(self, account_id: str) -> bool:
        return bool((await self.money.balances(account_id)).epoch)

    async def credit(self, account_id: str, amount_nano: int, credit_id: str, traceparent: str = "") -> None:
        credit = CreditGranted(
            event_id=f"topup:{credit_id}",
            credit_id=credit_id,
            account_id=account_id,
            amount_nano=amount_nano,
            reason="a test",
            granted_at_ms=time.time_ns() // 1_000_000,
            granted_by="usr_1",
        )
        await publisher.publish(
            self.js, CREDIT, credit.SerializeToString(), msg_id=credit.event_id, traceparent=traceparent
        )

    # Edges -----------------------------------------------------------------------------------------------------

    async def edge(self, edge_id: str) -> None:
        """Registers an edge."""
        bucket = await self.js.key_value(BUCKET_STATE)
        await bucket.put(f"edge.{edge_id}", msgspec.json.encode({"edge_id": edge_id, "epoch": "e", "started_at_ms": 1}))

    async def ship(self, *events: UsageSettled, syncs: Sequence[SpoolSync] = (), msg_id: str = "") -> int:
        """Publishes a batch, as new unless an id is given; its sequence in the stream."""
        offset = next(_offsets)
        batch = UsageBatch(edge_id="edge-1", spool_epoch="e", events=events, syncs=syncs, first_offset=offset)
        payload = batch.SerializeToString(deterministic=True)
        answer = await publisher.publish(self.js, USAGE, payload, msg_id=msg_id or f"edge-1:{uuid7()}")
        return int(answer.seq)

    async def reserve(
        self,
        account_id: str,
        request_id: str,
        amount_nano: int,
        *,
        lease_ms: int = 60_000,
        scopes: Mapping[str, int] | None = None,
        unlimited: bool = False,
    ) -> list[str]:
        """A reservation as an edge makes it; the answer's fields."""
        keys = [
            redis_functions.balance_key(account_id),
            redis_functions.leases_key(account_id),
            redis_functions.reservation_key(account_id, request_id),
            redis_functions.rate_key(account_id, "key_1", "rpm"),
            redis_functions.rate_key(account_id, "key_1", "tpm"),
            redis_functions.concurrency_key(account_id, "key_1"),
        ]
        budgets: list[Any] = [len(scopes or {})]
        for scope, limit in (scopes or {}).items():
            budgets += [limit, 0, 1, scope, 0]
        args = [
            request_id,
            amount_nano,
            lease_ms,
            0,
            int(unlimited),
            "",
            "",
            0,
            "",
            "edge-1",
            "key_1",
            "",
            "m",
            *budgets,
        ]
        answer: bytes = await self._commands.execute_command("FCALL", "oneapi_reserve", len(keys), *keys, *args)
        return answer.decode().split("\t")

    async def settle(self, account_id: str, request_id: str, amount_nano: int) -> int:
        keys = [
            redis_functions.balance_key(account_id),
            redis_functions.leases_key(account_id),
            redis_functions.reservation_key(account_id, request_id),
            redis_functions.rate_key(account_id, "key_1", "tpm"),
            redis_functions.concurrency_key(account_id, "key_1"),
        ]
        answer = await self._commands.execute_command(
            "FCALL", "oneapi_settle", len(keys), *keys, request_id, amount_nano, 0
        )
        return int(answer)

    async def serve(self, account_id: str, *, amount: bool = True, **changes: Any) -> UsageSettled:
        """One request of an unlimited account from its reservation to the shipped event."""
        event = usage_event(account_id, **changes)
        granted = await self.reserve(account_id, event.request_id, event.reserved_nano, unlimited=True)
        assert granted[0] == "ok", granted
        event.reserved_at_ms = int(granted[2])
        if amount:
            assert await self.settle(account_id, event.request_id, event.amount_nano) == 1
        await self.ship(event)
        return event

    # What is seen ----------------------------------------------------------------------------------------------

    async def query(self, text: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in (await self.clickhouse.query(text, parameters=parameters)).result_rows]

    async def lines(self, account_id: str) -> int:
        """Lines of an account, every key once."""
        rows = await self.query("SELECT count() FROM ledger_v WHERE account_id = {a:String}", a=account_id)
        return int(rows[0][0])

    async def charged(self, account_id: str) -> int:
        rows = await self.query(
            "SELECT sum(amount_nano) FROM ledger_v WHERE account_id = {a:String} AND line = 'main'", a=account_id
        )
        return int(rows[0][0])

    async def drained(self) -> bool:
        """Whether everything in the stream has been acknowledged."""
        try:
            info = await self.js.consumer_info(STREAM_LEDGER, "billing")
        except nats.js.errors.NotFoundError:
            return False
        # Not what is pending: the bus acknowledges a message before it counts it for the consumer.
        last = (await self.js.stream_info(STREAM_LEDGER)).state.last_seq
        return info.ack_floor is not None and info.ack_floor.stream_seq >= last

    async def settled_state(self, account_id: str) -> bool:
        """Whether Redis has what the ledger has, and nothing is held."""
        state = await self.money.balances(account_id)
        account = state.account
        charged = await self.charged(account_id)
        return (account.posted, account.unposted, account.reserved) == (charged, 0, 0)


async def receipt(replica: Replica, request_id: str, **asked: str) -> dict[str, Any] | None:
    """A receipt, or None when there is none yet."""
    try:
        found = await replica.stub.GetReceipt(GetReceiptRequest(request_id=request_id, **asked))
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.NOT_FOUND:
            raise
        return None
    decoded: dict[str, Any] = msgspec.json.decode(found.json)
    return decoded


async def balance(replica: Replica, account_id: str, *scopes: str) -> Balance:
    found: Balance = await replica.stub.GetBalance(GetBalanceRequest(account_id=account_id, scopes=scopes))
    return found


async def _value(value: Any) -> Any:
    return value


def marker(account_id: str, rebuild_id: str, edge_id: str, *held: OpenReservation) -> SpoolSync:
    return SpoolSync(account_id=account_id, rebuild_id=rebuild_id, edge_id=edge_id, open=held)


@contextlib.asynccontextmanager
async def new_world(nats_url: str, redis_url: str, clickhouse_url: str) -> AsyncIterator[World]:
    urls = StoreSettings(nats_url=nats_url, redis_url=redis_url, clickhouse_url=clickhouse_url, clickhouse_cluster="")
    world = World(
        urls,
        await connect_nats(nats_url, "test"),
        connect_redis(redis_url, socket_timeout=5.0, socket_connect_timeout=2.0),
        await connect_clickhouse(clickhouse_url),
    )
    await world.empty()
    try:
        yield world
    finally:
        await world.close()
