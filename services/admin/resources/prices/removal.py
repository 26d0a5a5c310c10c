"""What goes with a price: all its versions. Receipts keep the price that they applied. It must not know HTTP."""

from oneapi.catalog.entries import price_id
from services.admin.publishing.published import in_force
from services.admin.resources.prices import queries
from services.admin.resources.prices.schemas import PriceShown, dumped
from services.admin.store.changes import Change
from services.admin.store.schema import Price


async def remove_price(change: Change, row: Price) -> None:
    """Deletes the price of a model, or of a model on one channel."""
    session = change.session
    versions = in_force(await queries.versions(session, row.model, row.channel_id), change.at_ms)
    before = dumped(PriceShown.of(row.model, row.channel_id, versions))
    await queries.delete_versions(session, row.model, row.channel_id)
    await session.delete(row)
    await change.publish("price", price_id(row.model, row.channel_id), None)
    change.record("price.delete", "price", row.model, before=before)
