"""Seals with the current secret key what is sealed with a previous one.

Decides that only the wrapping changes: what was sealed stays as it is, and is never opened here. Each transaction
leaves everything readable, and a second run finds nothing to do. It must not know what a secret is used for.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from oneapi.runtime.sealing import Sealer, SealError
from services.admin.publishing import published
from services.admin.store.changes import Author, Change
from services.admin.store.database import Database
from services.admin.store.replays import place_of
from services.admin.store.schema import Channel, McpServer, Replay
from services.admin.upstreams import sealed

logger = logging.getLogger(__name__)

AUTHOR = Author(id="rewrap", kind="system", name="change of the secret key")
BATCH = 100


async def rewrap_all(database: Database, sealer: Sealer) -> int:
    """Seals everything anew that needs it, and publishes it; how many channels, servers and answers there were."""
    if not sealer.previous_beginnings:
        return 0
    async with database.writing() as session:
        change = await Change.begin(session, AUTHOR)
        total = await _channels(change, sealer) + await _servers(change, sealer)
    after: str | None = ""
    while after is not None:
        async with database.writing() as session:
            count, after = await _replays(session, sealer, after)
        total += count
    if total:
        logger.info("secrets are sealed with the current ONEAPI_SECRET_KEY", extra={"fields": {"records": total}})
    return total


async def _channels(change: Change, sealer: Sealer) -> int:
    total = 0
    for row in (await change.session.scalars(select(Channel))).all():
        api_key = _rewrapped(sealer, row.api_key_sealed, sealed.channel_key_place(row.id))
        headers = _all_rewrapped(sealer, row.headers_sealed, partial(sealed.channel_header_place, row.id))
        if (api_key, headers) != (row.api_key_sealed, row.headers_sealed):
            row.api_key_sealed, row.headers_sealed = api_key, headers
            row.revision = await change.publish("channel", row.id, published.channel(row))
            total += 1
    return total


async def _servers(change: Change, sealer: Sealer) -> int:
    total = 0
    for row in (await change.session.scalars(select(McpServer))).all():
        auth = _rewrapped(sealer, row.auth_sealed, sealed.server_auth_place(row.id))
        headers = _all_rewrapped(sealer, row.headers_sealed, partial(sealed.server_header_place, row.id))
        if (auth, headers) != (row.auth_sealed, row.headers_sealed):
            row.auth_sealed, row.headers_sealed = auth, headers
            row.revision = await change.publish("mcp_server", row.id, published.mcp_server(row))
            total += 1
    return total


async def _replays(session: AsyncSession, sealer: Sealer, after: str) -> tuple[int, str | None]:
    """Some of the stored answers: how many, and after which the next ones come."""
    previous = or_(
        *[Replay.body_sealed.startswith(beginning, autoescape=True) for beginning in sealer.previous_beginnings]
    )
    place = Replay.caller + "\n" + Replay.key
    rows = (await session.scalars(select(Replay).where(previous, place > after).order_by(place).limit(BATCH))).all()
    for row in rows:
        row.body_sealed = _rewrapped(sealer, row.body_sealed, place_of(row.caller, row.key))
    return len(rows), f"{rows[-1].caller}\n{rows[-1].key}" if len(rows) == BATCH else None


def _all_rewrapped(sealer: Sealer, texts: Mapping[str, str], place: Callable[[str], str]) -> dict[str, str]:
    return {name: _rewrapped(sealer, text, place(name)) for name, text in texts.items()}


def _rewrapped(sealer: Sealer, text: str, place: str) -> str:
    if not sealer.depends_on_previous(text):
        return text
    try:
        return sealer.rewrap(text, bound_to=place)
    except SealError as problem:
        logger.warning("a secret can't be sealed anew", extra={"fields": {"place": place, "why": str(problem)}})
        return text
