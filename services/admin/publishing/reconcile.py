"""Compares the buckets with SQL and publishes the difference: what is missing, what differs, what is gone.

Runs when this replica becomes the publisher and whenever NATS comes back, so that a bus that lost its state, or a
database restored from a backup, ends in agreement with SQL. This module must not know how the outbox is sent.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import msgspec
from nats.js.kv import KeyValue
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from oneapi.bus import subjects
from oneapi.bus.bucket_reader import contents
from oneapi.catalog import entries
from services.admin.clock import now_ms
from services.admin.publishing import published
from services.admin.store import schema
from services.admin.store.changes import Author, Change
from services.admin.store.database import Database

logger = logging.getLogger(__name__)

AUTHOR = Author(id="reconciliation", kind="system", name="reconciliation")
CREDITS_AGAIN_MS = 7 * 24 * 3600 * 1000
Buckets = Mapping[str, KeyValue]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should stand in a bucket, and the row that it comes from."""

    kind: str
    entry_id: str
    value: msgspec.Struct
    row: schema.Account | schema.Channel | schema.Price | schema.McpServer | schema.Key


async def reconcile(database: Database, buckets: Buckets) -> int:
    """Puts every difference into the outbox; how many there were. Call it with an empty outbox, before `drain`."""
    found: dict[str, entries.Entry | None] = {}
    for bucket in buckets.values():
        found.update(await load(bucket))
    differences = 0
    async with database.writing() as session:
        change = await Change.begin(session, AUTHOR)
        await change.raise_revision_above(max((entry.revision for entry in found.values() if entry), default=0))
        if not found:
            await _send_credits_again(session)
        async for wanted in _all_wanted(session):
            entry = found.pop(entries.kv_key(wanted.kind, wanted.entry_id), None)
            if entry is None or entry.value != wanted.value:
                wanted.row.revision = await change.publish(wanted.kind, wanted.entry_id, wanted.value)
                differences += 1
        for name, entry in found.items():
            if entry is None or not entry.deleted:
                await change.publish(*entries.parse_kv_key(name), None)
                differences += 1
    if differences:
        logger.info("the catalog differed from SQL", extra={"fields": {"entries": differences}})
    return differences


async def load(bucket: KeyValue) -> dict[str, entries.Entry | None]:
    """Every entry of a bucket by its name there; None for one that can't be read."""
    found: dict[str, entries.Entry | None] = {}
    for there in await contents(bucket):
        try:
            found[there.key] = entries.decode(there.value or b"")
        except entries.BadEntry:
            found[there.key] = None
    return found


async def _all_wanted(session: AsyncSession) -> AsyncIterator[Wanted]:
    for account in await session.scalars(select(schema.Account)):
        yield Wanted("account", account.id, published.account(account), account)
    for channel in await session.scalars(select(schema.Channel)):
        yield Wanted("channel", channel.id, published.channel(channel), channel)
    for server in await session.scalars(select(schema.McpServer)):
        yield Wanted("mcp_server", server.id, published.mcp_server(server), server)
    for key in await session.scalars(select(schema.Key)):
        for digest, record in published.key_entries(key):
            yield Wanted("key", digest, record, key)
    async for price in _all_prices(session):
        yield price


async def _all_prices(session: AsyncSession) -> AsyncIterator[Wanted]:
    def of(version: schema.PriceVersion) -> tuple[str, str]:
        return version.model, version.channel_id

    rows = {(row.model, row.channel_id): row for row in await session.scalars(select(schema.Price))}
    versions = sorted(await session.scalars(select(schema.PriceVersion)), key=of)
    for (model, channel_id), group in groupby(versions, key=of):
        value = published.price(model, channel_id, list(group), now_ms())
        yield Wanted("price", entries.price_id(model, channel_id), value, rows[model, channel_id])


async def _send_credits_again(session: AsyncSession) -> None:
    """The bus is empty: credits that billing may not have read yet go again. Sent twice, they change nothing."""
    await session.execute(
        update(schema.Outbox)
        .where(
            schema.Outbox.target == subjects.CREDIT,
            schema.Outbox.published_at_ms.is_not(None),
            schema.Outbox.created_at_ms > now_ms() - CREDITS_AGAIN_MS,
        )
        .values(published_at_ms=None)
    )
