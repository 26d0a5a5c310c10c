"""What goes with a relay key: its entry on the bus. It must not know HTTP."""

from services.admin.resources.keys.schemas import KeyShown
from services.admin.store.changes import Change
from services.admin.store.schema import Key


async def remove_key(change: Change, row: Key) -> None:
    """Revokes the key for good."""
    await change.publish("key", row.hash, None)
    await change.session.delete(row)
    change.record("key.delete", "key", row.id, row.account_id, before=KeyShown.of(row).model_dump())
