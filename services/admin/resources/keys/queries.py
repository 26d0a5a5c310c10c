"""Relay keys in SQL, as far as a principal may see them. It must not know HTTP."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.identity.principals import Principal, visible
from services.admin.store.listing import Page, page
from services.admin.store.schema import Channel, Key, User


async def get(session: AsyncSession, principal: Principal, key_id: str) -> Key | None:
    return await session.scalar(visible(select(Key).where(Key.id == key_id), principal, Key.account_id))


async def listed(
    session: AsyncSession,
    principal: Principal,
    narrowed: dict[str, str | None],
    limit: int,
    cursor: str | None,
) -> Page[Key]:
    """Keys with these columns; None doesn't narrow. Raises BadCursor."""
    statement = visible(select(Key), principal, Key.account_id)
    for column, value in narrowed.items():
        if value is not None:
            statement = statement.where(getattr(Key, column) == value)
    return await page(session, statement, Key.id, limit=limit, cursor=cursor)


async def is_user_of(session: AsyncSession, user_id: str, account_id: str) -> bool:
    """Whether the user belongs to the account."""
    return await session.scalar(select(User.id).where(User.id == user_id, User.account_id == account_id)) is not None


async def all_channels_exist(session: AsyncSession, ids: Sequence[str]) -> bool:
    """Whether each of these distinct ids is a channel."""
    return await session.scalar(select(func.count()).where(Channel.id.in_(ids))) == len(ids)
