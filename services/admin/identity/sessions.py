"""Console sessions: a random cookie, stored as a hash, that lives and dies with the credential it was made from.

Decides how long a session lasts and what ends it: logout, its user or token gone, expired or with another role or
password (their resources call `end_of_user`), another ONEAPI_ADMIN_TOKEN. It must not know how a cookie is carried.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from oneapi.runtime.ids import new_id
from oneapi.runtime.relay_keys import KeyHasher
from services.admin.clock import now_ms
from services.admin.identity.principals import Principal, Role
from services.admin.store.schema import Account, Session, Token, User

LIFETIME_MS = 12 * 3600 * 1000
COOKIE_BYTES = 32


def new_cookie() -> str:
    """A new cookie value: 256 random bits."""
    return secrets.token_urlsafe(COOKIE_BYTES)


def start(
    session: AsyncSession, principal: Principal, hasher: KeyHasher, cookie: str, first_administrator: str
) -> Session:
    """Adds a session of the principal. `first_administrator` is the hash of ONEAPI_ADMIN_TOKEN."""
    at_ms = now_ms()
    row = Session(
        id=new_id("ses"),
        hash=hasher.hash(cookie),
        hash_version=hasher.version,
        user_id=principal.id if principal.kind == "user" else None,
        token_id=principal.id if principal.kind == "token" else None,
        first_administrator=first_administrator if principal.kind == "first_administrator" else None,
        created_at_ms=at_ms,
        expires_at_ms=at_ms + LIFETIME_MS,
    )
    session.add(row)
    return row


async def find(session: AsyncSession, cookie_hashes: Sequence[str]) -> Session | None:
    """The session with one of these hashes."""
    return await session.scalar(select(Session).where(Session.hash.in_(cookie_hashes)))


async def resume(
    session: AsyncSession, row: Session, first_administrator: Principal, first_hashes: Sequence[str]
) -> Principal | None:
    """The principal of the session if it is live, with the role that it has now."""
    if row.expires_at_ms <= now_ms():
        return None
    principal: Principal | None = None
    if row.user_id is not None:
        principal = await user_principal(session, row.user_id)
    elif row.token_id is not None:
        token = await session.get(Token, row.token_id)
        principal = await token_principal(session, token) if token is not None else None
    elif row.first_administrator in first_hashes:
        principal = first_administrator
    return replace(principal, session_id=row.id) if principal is not None else None


async def user_principal(session: AsyncSession, user_id: str) -> Principal | None:
    """The principal of a user whose account is enabled."""
    found = (
        await session.execute(
            select(User, Account.enabled).join(Account, Account.id == User.account_id).where(User.id == user_id)
        )
    ).one_or_none()
    if found is None or not found[1]:
        return None
    user = found[0]
    return Principal(id=user.id, kind="user", name=user.name, account_id=user.account_id, role=Role(user.role))


async def token_principal(session: AsyncSession, token: Token) -> Principal | None:
    """The principal of a token that hasn't expired, of an account that is enabled."""
    if token.expires_at_ms is not None and token.expires_at_ms <= now_ms():
        return None
    account = await session.get(Account, token.account_id)
    if account is None or not account.enabled:
        return None
    return Principal(id=token.id, kind="token", name=token.name, account_id=token.account_id, role=Role(token.role))


async def end(session: AsyncSession, session_id: str) -> None:
    """Ends one session."""
    await session.execute(delete(Session).where(Session.id == session_id))


async def end_of_user(session: AsyncSession, user_id: str) -> None:
    """Ends every session of a user."""
    await session.execute(delete(Session).where(Session.user_id == user_id))


async def end_of_token(session: AsyncSession, token_id: str) -> None:
    """Ends every session that was made from a token."""
    await session.execute(delete(Session).where(Session.token_id == token_id))


async def forget_old(session: AsyncSession) -> None:
    """Deletes expired sessions."""
    await session.execute(delete(Session).where(Session.expires_at_ms <= now_ms()))
