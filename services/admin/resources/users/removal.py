"""What goes with a user: sessions and keys. It must not know HTTP."""

from sqlalchemy import select

from services.admin.identity import sessions
from services.admin.resources.keys.removal import remove_key
from services.admin.resources.users.schemas import UserShown
from services.admin.store.changes import Change
from services.admin.store.schema import Key, User


async def remove_user(change: Change, row: User) -> None:
    """Deletes the user, and revokes the keys that were made for them."""
    session = change.session
    for key in (await session.scalars(select(Key).where(Key.user_id == row.id))).all():
        await remove_key(change, key)
    await session.flush()
    await sessions.end_of_user(session, row.id)
    await session.delete(row)
    change.record("user.delete", "user", row.id, row.account_id, before=UserShown.of(row).model_dump())
