"""Opens billing's database in ClickHouse.

It decides what a client of it must have: the database itself, and on a cluster the settings without which one replica
would not see what was written to another. It must not know what tables there are.
"""

from urllib.parse import unquote, urlsplit

from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from oneapi.runtime.connections import connect_clickhouse

_NO_DATABASE = "UNKNOWN_DATABASE"
_ON_A_CLUSTER = {
    # Written to a majority before it is acknowledged, and read only from replicas that have all of it.
    "insert_quorum": "auto",
    "insert_quorum_parallel": "0",
    "select_sequential_consistency": "1",
}


async def open_database(url: str, cluster: str, *, create: bool = True) -> AsyncClient:
    """A client of the URL's database, which is made when it isn't there. Raises what the driver raises."""
    settings = dict(_ON_A_CLUSTER) if cluster else None
    try:
        return await connect_clickhouse(url, settings=settings)
    except ClickHouseError as failure:
        if not create or _NO_DATABASE not in str(failure):
            raise
    name = unquote(urlsplit(url).path.strip("/")).replace("\\", "\\\\").replace("`", "\\`")
    default = await connect_clickhouse(url, database="default")
    try:
        where = f"ON CLUSTER `{cluster}`" if cluster else ""
        await default.command(f"CREATE DATABASE IF NOT EXISTS `{name}` {where} ENGINE = Atomic")
    finally:
        await default.close()
    return await connect_clickhouse(url, settings=settings)
