"""Management tokens in SQL, as far as a principal may see them. It must not know HTTP."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.identity.principals import Principal, visible
from services.admin.store.listing import Page, page
from services.admin.store.schema import Token


async def get(session: AsyncSession, principal: Principal, token_id: str) -> Token | None:
    return await session.scalar(visible(select(Token).where(Token.id == token_id), principal, Token.account_id))


async def listed(session: AsyncSession, principal: Principal, limit: int, cursor: str | None) -> Page[Token]:
    """Raises BadCursor."""
    return await page(
        session, visible(select(Token), principal, Token.account_id), Token.id, limit=limit, cursor=cursor
    )
