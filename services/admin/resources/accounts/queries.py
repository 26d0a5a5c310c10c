"""Accounts and credits in SQL, as far as a principal may see them. It must not know HTTP."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.identity.principals import Principal, visible
from services.admin.store.listing import Page, page
from services.admin.store.schema import Account, Credit


async def listed(
    session: AsyncSession, principal: Principal, name: str | None, limit: int, cursor: str | None
) -> Page[Account]:
    """Raises BadCursor."""
    statement = visible(select(Account), principal, Account.id)
    if name is not None:
        statement = statement.where(Account.name == name)
    return await page(session, statement, Account.id, limit=limit, cursor=cursor)


async def credits_listed(
    session: AsyncSession, principal: Principal, account_id: str, limit: int, cursor: str | None
) -> Page[Credit]:
    """Raises BadCursor."""
    statement = visible(select(Credit).where(Credit.account_id == account_id), principal, Credit.account_id)
    return await page(session, statement, Credit.id, limit=limit, cursor=cursor)


async def credit_sum(session: AsyncSession, principal: Principal, account_id: str) -> int:
    """Nano-USD that the account was given, all in all."""
    statement = select(func.coalesce(func.sum(Credit.amount_nano), 0)).where(Credit.account_id == account_id)
    return int(await session.scalar(visible(statement, principal, Credit.account_id)) or 0)
