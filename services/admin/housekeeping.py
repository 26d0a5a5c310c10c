"""Deletes what nobody needs any more: old answers of POSTs, expired sessions, what the bus has had for long.

Decides how long each is kept. It must not know what any of it was for.
"""

import asyncio

from sqlalchemy import delete

from services.admin.clock import now_ms
from services.admin.identity import sessions
from services.admin.store import replays
from services.admin.store.database import Database
from services.admin.store.schema import Outbox

EVERY_S = 3600.0
OUTBOX_MS = 8 * 24 * 3600 * 1000
"""Longer than the bus keeps credits, so that those can be sent again when the bus has lost its state."""


async def clean(database: Database) -> None:
    """Once."""
    async with database.writing() as session:
        await replays.forget_old(session)
        await sessions.forget_old(session)
        await session.execute(delete(Outbox).where(Outbox.published_at_ms < now_ms() - OUTBOX_MS))


async def run(database: Database) -> None:
    """Every hour, until cancelled."""
    while True:
        await clean(database)
        await asyncio.sleep(EVERY_S)
