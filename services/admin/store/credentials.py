"""Secrets of keys and tokens as rows keep them: the hash of the present one, and of the one before while both count.

Decides that no more than two count at a time, and with which pepper each hash was made. It must not know what a secret
opens, or how a change is published.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from oneapi.runtime.relay_keys import KeyHasher, hint
from services.admin.store.schema import Key, Session, Token

DEFAULT_OVERLAP_S = 24 * 3600
MAX_OVERLAP_S = 30 * 24 * 3600


def first_secret(hasher: KeyHasher, secret: str) -> dict[str, Any]:
    """Columns of a new key or token."""
    return {"hash": hasher.hash(secret), "hash_version": hasher.version, "hint": hint(secret)}


def replace_secret(row: Key | Token, hasher: KeyHasher, secret: str, overlap_s: int, at_ms: int) -> list[str]:
    """Makes this the secret; the present one counts for `overlap_s` more. The hashes that count no more."""
    ended = [] if row.previous_hash is None else [row.previous_hash]
    if overlap_s > 0:
        row.previous_hash, row.previous_hash_version, row.previous_hint = row.hash, row.hash_version, row.hint
        row.previous_ends_at_ms = at_ms + overlap_s * 1000
    else:
        ended.append(row.hash)
        forget_previous(row)
    row.hash, row.hash_version, row.hint = hasher.hash(secret), hasher.version, hint(secret)
    return ended


def forget_previous(row: Key | Token) -> None:
    """The secret before counts no more."""
    row.previous_hash = row.previous_hash_version = row.previous_hint = row.previous_ends_at_ms = None


def presents(table: type[Token], hashes: Sequence[str], now_ms: int) -> ColumnElement[bool]:
    """Rows of which one of these is the hash, or that of the secret before while it counts."""
    return or_(
        table.hash.in_(hashes),
        and_(table.previous_hash.in_(hashes), table.previous_ends_at_ms > now_ms),
    )


def set_hash(row: Key, old_hash: str, new_hash: str, version: str) -> None:
    """The same secret under another pepper, whichever of the two it is."""
    if row.hash == old_hash:
        row.hash, row.hash_version = new_hash, version
    else:
        row.previous_hash, row.previous_hash_version = new_hash, version


async def rehash(
    session: AsyncSession, old_hash: str, new_hash: str, version: str, first_hashes: Sequence[str]
) -> None:
    """The same for the token or console session with this hash. `first_hashes` are those of ONEAPI_ADMIN_TOKEN."""
    for table in (Token, Session):
        renewed = {"hash": new_hash, "hash_version": version}
        await session.execute(update(table).where(table.hash == old_hash).values(renewed))
    await session.execute(
        update(Token)
        .where(Token.previous_hash == old_hash)
        .values(previous_hash=new_hash, previous_hash_version=version)
    )
    await session.execute(
        update(Session)
        .where(Session.hash == new_hash, Session.first_administrator.in_(first_hashes))
        .values(first_administrator=first_hashes[0])
    )
