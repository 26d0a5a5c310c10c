"""Ends secrets that were replaced and whose overlap is over.

They have been refused from that moment on already: each says when it ends. This takes them off the bus and out of the
tables, with the sessions that were made from such a token. It must not know how a secret is replaced.
"""

from sqlalchemy import select

from services.admin.clock import now_ms
from services.admin.identity import sessions
from services.admin.store.changes import Author, Change
from services.admin.store.credentials import forget_previous
from services.admin.store.database import Database
from services.admin.store.schema import Key, Token

AUTHOR = Author(id="overlap", kind="system", name="end of an overlap")
BATCH = 200


async def end_overlaps(database: Database) -> int:
    """Ends those that are over; how many there were."""
    total = 0
    while ended := await _end_some(database):
        total += ended
    return total


async def _end_some(database: Database) -> int:
    at_ms = now_ms()
    ended_keys = select(Key).where(Key.previous_ends_at_ms <= at_ms).limit(BATCH)
    ended_tokens = select(Token).where(Token.previous_ends_at_ms <= at_ms).limit(BATCH)
    async with database.reading() as session:
        if await session.scalar(ended_keys) is None and await session.scalar(ended_tokens) is None:
            return 0
    async with database.writing() as session:
        change = await Change.begin(session, AUTHOR)
        keys = (await session.scalars(ended_keys)).all()
        for key in keys:
            if key.previous_hash is not None:
                await change.publish("key", key.previous_hash, None)
            forget_previous(key)
        tokens = (await session.scalars(ended_tokens)).all()
        for token in tokens:
            await sessions.end_of_token(session, token.id)
            forget_previous(token)
        return len(keys) + len(tokens)
