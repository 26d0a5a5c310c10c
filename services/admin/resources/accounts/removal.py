"""What goes with an account: its keys, users and tokens, each with its own audit row. It must not know HTTP."""

from sqlalchemy import select

from services.admin.resources.keys.removal import remove_key
from services.admin.resources.tokens.removal import remove_token
from services.admin.resources.users.removal import remove_user
from services.admin.store.changes import Change
from services.admin.store.schema import Key, Token, User


async def remove_contents(change: Change, account_id: str) -> None:
    """Removes everything that belongs to the account, except its credits."""
    session = change.session
    for key in (await session.scalars(select(Key).where(Key.account_id == account_id))).all():
        await remove_key(change, key)
    for user in (await session.scalars(select(User).where(User.account_id == account_id))).all():
        await remove_user(change, user)
    for token in (await session.scalars(select(Token).where(Token.account_id == account_id))).all():
        await remove_token(change, token)
    await session.flush()
