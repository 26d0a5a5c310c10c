"""Users in SQL, as far as a principal may see them. It must not know HTTP."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.identity.principals import Principal, visible
from services.admin.store.listing import Page, page
from services.admin.store.schema import User


async def get(session: AsyncSession, principal: Principal, user_id: str) -> User | None:
    return await session.scalar(visible(select(User).where(User.id == user_id), principal, User.account_id))


async def listed(
    session: AsyncSession, principal: Principal, account_id: str | None, limit: int, cursor: str | None
) -> Page[User]:
    """Raises BadCursor."""
    statement = visible(select(User), principal, User.account_id)
    if account_id is not None:
        statement = statement.where(User.account_id == account_id)
    return await page(session, statement, User.id, limit=limit, cursor=cursor)


async def email_taken(session: AsyncSession, email: str, except_id: str = "") -> bool:
    """Whether any user, seen or not, has the address: logins find people by it."""
    return await session.scalar(select(User.id).where(User.email == email, User.id != except_id)) is not None
