"""Makes the clients of the backing services, with the time-outs and retries that the money path relies on.

It decides those limits, and must not know what is asked of a server. Nothing here retries a command: one layer
retries, and it is never the client library.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import nats.errors
from nats.aio.client import Client as NatsClient

from oneapi.runtime.redaction import redact
from oneapi.runtime.tasks import heed_cancellation

if TYPE_CHECKING:
    from clickhouse_connect.driver.asyncclient import AsyncClient
    from redis.asyncio import Redis

logger = logging.getLogger(__name__)

NATS_CONNECT_S = 2
NATS_RETRY_S = 0.25
NATS_PING_S = 5
NATS_PENDING_BYTES = 16 * 1024 * 1024
_NATS_LOG_EVERY_S = 10.0

REDIS_CONNECT_S = 0.1
REDIS_TOTAL_S = 0.3
REDIS_MAX_CONNECTIONS = 32

CLICKHOUSE_CONNECT_S = 2
CLICKHOUSE_TOTAL_S = 60


async def connect_nats(
    url: str, name: str, *, on_reconnect: Callable[[], Awaitable[None] | None] | None = None
) -> NatsClient:
    """A connection that comes back for ever. Waits for the first connect for as long as it takes, or is cancelled.

    `url` may hold several servers, separated by commas. `on_reconnect` runs after each return of the connection.
    """
    loop = asyncio.get_running_loop()
    last_log = -_NATS_LOG_EVERY_S

    async def on_error(failure: Exception) -> None:
        nonlocal last_log
        if loop.time() - last_log >= _NATS_LOG_EVERY_S:
            last_log = loop.time()
            logger.warning("NATS: %s", redact(repr(failure)), extra={"fields": {"connection": name}})

    async def on_disconnect() -> None:
        logger.warning("NATS is disconnected", extra={"fields": {"connection": name}})

    async def on_return() -> None:
        logger.info("NATS is connected again", extra={"fields": {"connection": name}})
        if on_reconnect is None:
            return
        try:
            result = on_reconnect()
            if result is not None:
                await result
        except Exception:  # it runs inside the client's reconnecting task, which must survive it
            logger.exception("the reconnect callback failed", extra={"fields": {"connection": name}})

    servers = [part.strip() for part in url.split(",") if part.strip()]
    while True:
        heed_cancellation()
        client = NatsClient()
        try:
            await client.connect(
                servers=servers,
                name=name,
                error_cb=on_error,
                disconnected_cb=on_disconnect,
                reconnected_cb=on_return,
                connect_timeout=NATS_CONNECT_S,
                # The library takes fractions of a second, whatever its annotation says.
                reconnect_time_wait=NATS_RETRY_S,  # type: ignore[arg-type]
                max_reconnect_attempts=-1,
                ping_interval=NATS_PING_S,
                max_outstanding_pings=2,
                pending_size=NATS_PENDING_BYTES,
            )
        except (OSError, nats.errors.Error, TimeoutError) as failure:
            await on_error(failure)
            await asyncio.sleep(NATS_RETRY_S)
        except BaseException:
            # Cancelled in the middle of a handshake: leave no socket and no tasks behind.
            await asyncio.shield(_abandon(client))
            raise
        else:
            return client


async def _abandon(client: NatsClient) -> None:
    try:
        await client.close()
    except Exception as failure:  # noqa: BLE001 - nobody waits for this client any more
        logger.debug("closing a half-open NATS connection: %s", redact(repr(failure)))


def connect_redis(url: str, *, max_connections: int = REDIS_MAX_CONNECTIONS, **options: Any) -> "Redis":
    """A client that connects on first use. A command takes 0.3 s at most and is never sent twice by the library.

    A pool that is exhausted is waited for, for as long as a command may take. `options` go to the connection pool.
    """
    # Loaded only by services that use it: each of these drivers costs a fifth of a second of a start.
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    settings: dict[str, Any] = {
        "socket_connect_timeout": REDIS_CONNECT_S,
        "socket_timeout": REDIS_TOTAL_S,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "retry_on_error": [],
        "health_check_interval": 0,
    }
    pool = BlockingConnectionPool.from_url(
        url, max_connections=max_connections, timeout=REDIS_TOTAL_S, **(settings | options)
    )
    return Redis.from_pool(pool)


async def connect_clickhouse(url: str, *, database: str | None = None, **options: Any) -> "AsyncClient":
    """A client of `http[s]://user:password@host:port/database`. Raises what the driver raises when it can't be asked.

    `database` replaces the one of the URL (`default` exists everywhere, before ours is made). It uses no session, so
    one client may run many queries at a time. `options` go to the driver.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the ClickHouse URL must be http[s]://[user:password@]host[:port]/database")
    import clickhouse_connect  # loaded only by services that use it

    secure = parts.scheme == "https"
    settings: dict[str, Any] = {
        "connect_timeout": CLICKHOUSE_CONNECT_S,
        "send_receive_timeout": CLICKHOUSE_TOTAL_S,
        "autogenerate_session_id": False,
        "query_retries": 0,
    }
    return await clickhouse_connect.get_async_client(
        host=parts.hostname,
        port=parts.port or (8443 if secure else 8123),
        username=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=database or unquote(parts.path.strip("/")) or "default",
        secure=secure,
        **(settings | options),
    )
