"""Prices and their versions in SQL. Prices of single channels are for who runs the gateway. It must not know HTTP."""

from collections.abc import Sequence

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.identity.principals import Principal
from services.admin.store.listing import Page, decode_cursor, encode_cursor
from services.admin.store.schema import Channel, Price, PriceVersion


async def get(session: AsyncSession, principal: Principal, model: str, channel_id: str) -> Price | None:
    if channel_id and not principal.operates:
        return None
    return await session.get(Price, (model, channel_id))


async def versions(session: AsyncSession, model: str, channel_id: str) -> list[PriceVersion]:
    """Every version that there was, in any order."""
    statement = select(PriceVersion).where(PriceVersion.model == model, PriceVersion.channel_id == channel_id)
    return list((await session.scalars(statement)).all())


async def versions_of(session: AsyncSession, prices: Sequence[Price]) -> dict[tuple[str, str], list[PriceVersion]]:
    """Every version of several prices."""
    found: dict[tuple[str, str], list[PriceVersion]] = {(price.model, price.channel_id): [] for price in prices}
    statement = select(PriceVersion).where(PriceVersion.model.in_({price.model for price in prices}))
    for version in await session.scalars(statement):
        if (version.model, version.channel_id) in found:
            found[version.model, version.channel_id].append(version)
    return found


async def listed(
    session: AsyncSession, principal: Principal, channel_id: str | None, limit: int, cursor: str | None
) -> Page[Price]:
    """By model and channel. Raises BadCursor."""
    statement = select(Price)
    if not principal.operates:
        statement = statement.where(Price.channel_id == "")
    if channel_id is not None:
        statement = statement.where(Price.channel_id == channel_id)
    if cursor is not None:
        model, channel = decode_cursor(cursor, 2)
        statement = statement.where(or_(Price.model > model, and_(Price.model == model, Price.channel_id > channel)))
    rows = (await session.scalars(statement.order_by(Price.model, Price.channel_id).limit(limit + 1))).all()
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, encode_cursor(rows[-1].model, rows[-1].channel_id) if more else None)


async def channel_exists(session: AsyncSession, channel_id: str) -> bool:
    return await session.scalar(select(Channel.id).where(Channel.id == channel_id)) is not None


async def delete_versions(session: AsyncSession, model: str, channel_id: str) -> None:
    await session.execute(
        delete(PriceVersion).where(PriceVersion.model == model, PriceVersion.channel_id == channel_id)
    )
