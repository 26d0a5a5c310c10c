"""Channels in SQL. Only who runs the gateway sees any. It must not know HTTP."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.identity.principals import Principal
from services.admin.store.listing import Page, page
from services.admin.store.schema import Channel, Price


async def get(session: AsyncSession, principal: Principal, channel_id: str) -> Channel | None:
    return await session.get(Channel, channel_id) if principal.operates else None


async def listed(
    session: AsyncSession, principal: Principal, name: str | None, limit: int, cursor: str | None
) -> Page[Channel]:
    """Raises BadCursor."""
    if not principal.operates:
        return Page([], None)
    statement = select(Channel)
    if name is not None:
        statement = statement.where(Channel.name == name)
    return await page(session, statement, Channel.id, limit=limit, cursor=cursor)


async def own_prices(session: AsyncSession, channel_id: str) -> Sequence[Price]:
    """Prices that hold on this channel only."""
    return (await session.scalars(select(Price).where(Price.channel_id == channel_id))).all()
