"""What goes with a management token: the sessions made from it. It must not know HTTP."""

from services.admin.identity import sessions
from services.admin.resources.tokens.schemas import TokenShown
from services.admin.store.changes import Change
from services.admin.store.schema import Token


async def remove_token(change: Change, row: Token) -> None:
    """Revokes the token."""
    await sessions.end_of_token(change.session, row.id)
    await change.session.delete(row)
    change.record("token.delete", "token", row.id, row.account_id, before=TokenShown.of(row).model_dump())
