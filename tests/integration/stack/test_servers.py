"""The servers that other tests stand on: each is the real thing and does what the gateway needs of it."""

import asyncpg
import nats
import redis.asyncio
from nats.js.api import StreamConfig

from oneapi.stack import clickhouse_server


async def test_nats_keeps_a_stream_in_files(nats_url: str) -> None:
    connection = await nats.connect(nats_url)
    stream = connection.jetstream()
    made = await stream.add_stream(StreamConfig(name="SERVERS_TEST", subjects=["servers_test.>"]))
    assert made.config.storage == "file"
    ack = await stream.publish("servers_test.a", b"1", headers={"Nats-Msg-Id": "1"})
    again = await stream.publish("servers_test.a", b"1", headers={"Nats-Msg-Id": "1"})
    assert (ack.seq, again.duplicate) == (1, True)
    await stream.delete_stream("SERVERS_TEST")
    await connection.close()


async def test_redis_appends_and_never_evicts(redis_url: str) -> None:
    async with redis.asyncio.Redis.from_url(redis_url, decode_responses=True) as client:
        asked = ("appendonly", "appendfsync", "maxmemory-policy", "save")
        settings = {name: (await client.config_get(name))[name] for name in asked}
    assert settings == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": "",
    }


def test_clickhouse_collapses_replaced_rows(clickhouse_database: str) -> None:
    ask = clickhouse_server.ask
    ask(clickhouse_database, "CREATE TABLE t (k String, v UInt64) ENGINE = ReplacingMergeTree(v) ORDER BY k")
    ask(clickhouse_database, "INSERT INTO t VALUES ('a', 1)")
    ask(clickhouse_database, "INSERT INTO t VALUES ('a', 2)")
    assert ask(clickhouse_database, "SELECT k, v FROM t FINAL") == "a\t2"


def test_clickhouse_keeps_others_out(clickhouse_url: str) -> None:
    without_login = clickhouse_url.replace("oneapi:tests-only@", "")
    assert clickhouse_server.answers(clickhouse_url)
    assert not clickhouse_server.answers(without_login)
    assert not clickhouse_server.answers(without_login.replace("//", "//default:@"))


async def test_postgres_answers(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    assert (await connection.fetchval("SELECT 1")) == 1
    await connection.close()
