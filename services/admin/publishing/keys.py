"""Publishes a relay key under each hash that it may be presented as. It must not know why it changed."""

from services.admin.publishing import published
from services.admin.store.changes import Change
from services.admin.store.schema import Key


async def publish_key(change: Change, row: Key) -> None:
    """Puts every entry of the key into the outbox. Raises EntryTooLarge."""
    for digest, record in published.key_entries(row):
        row.revision = await change.publish("key", digest, record)
