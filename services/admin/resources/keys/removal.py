"""What goes with a relay key: its entries on the bus. It must not know HTTP."""

from services.admin.publishing import published
from services.admin.resources.keys.schemas import KeyShown
from services.admin.store.changes import Change
from services.admin.store.schema import Key


async def remove_key(change: Change, row: Key) -> None:
    """Revokes the key for good."""
    for digest, _ in published.key_entries(row):
        await change.publish("key", digest, None)
    await change.session.delete(row)
    change.record("key.delete", "key", row.id, row.account_id, before=KeyShown.of(row).model_dump())
