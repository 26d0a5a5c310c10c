"""`python -m services.billing.verify`: is the ledger right? One line for each invariant, from the stores themselves.

It decides the output and the exit status: 0 when all hold, 1 at the first that doesn't, 2 for a bad setting, 3 when a
store can't be asked. Billing may run or not. It must not know what the invariants are.
"""

import asyncio
import os
import sys

from aiohttp import ClientError
from clickhouse_connect.driver.exceptions import ClickHouseError
from nats.errors import Error as NatsError
from redis.exceptions import RedisError

from oneapi.runtime import logs
from oneapi.runtime.connections import connect_nats, connect_redis
from oneapi.runtime.environment import Environment, SettingError, forget_proxies
from oneapi.runtime.redaction import redact
from services.billing import schema
from services.billing.database import open_database
from services.billing.invariants import Verification
from services.billing.settings import StoreSettings

HOLDS = 0
BROKEN = 1
BAD_SETTING = 2
NO_ANSWER = 3
_CONNECT_S = 10.0


async def verify(settings: StoreSettings) -> int:
    """Prints a line for each invariant and stops at the first that doesn't hold. Returns the exit status."""
    async with asyncio.timeout(_CONNECT_S):
        nats = await connect_nats(settings.nats_url, "verify")
    redis = connect_redis(settings.redis_url, socket_timeout=10.0, socket_connect_timeout=2.0)
    clickhouse = await open_database(settings.clickhouse_url, settings.clickhouse_cluster, create=False)
    try:
        await schema.check(clickhouse, settings.clickhouse_cluster)
        async for result in Verification(clickhouse, redis, nats.jetstream()).run():
            _say(f"{'holds ' if result.holds else 'BROKEN'}  {result.invariant}: {result.detail}")
            if not result.holds:
                return BROKEN
    finally:
        await clickhouse.close()
        await redis.aclose()
        await nats.close()
    return HOLDS


def main() -> int:
    """The command."""
    logs.configure("billing-verify", "error")
    forget_proxies(os.environ)
    try:
        return asyncio.run(verify(StoreSettings.read(Environment(os.environ))))
    except SettingError as problem:
        sys.stderr.write(f"{problem}\n")
        return BAD_SETTING
    except (schema.SchemaBehind, schema.WrongSchema) as problem:
        _say(f"BROKEN  schema: {problem}")
        return BROKEN
    except (ClickHouseError, ClientError, RedisError, NatsError, OSError, TimeoutError) as problem:
        sys.stderr.write(f"A store can't be asked: {redact(repr(problem))[:500]}\n")
        return NO_ANSWER


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
