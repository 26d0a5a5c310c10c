"""Accounts as the frame of everything: whether one is there for a principal. It must not know what is done with it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.identity.principals import Principal, visible
from services.admin.store.schema import Account


async def visible_account(session: AsyncSession, principal: Principal, account_id: str) -> Account | None:
    """The account, or None when there is none or the principal may not see it."""
    return await session.scalar(visible(select(Account).where(Account.id == account_id), principal, Account.id))
