"""What a new installation begins with: the operator's account, and the sandbox with a price.

Decides it once: what an operator deletes later stays deleted. It must not know how tables or buckets are made.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from oneapi.catalog.entries import price_id
from oneapi.catalog.types import OPERATOR_ACCOUNT_ID, SANDBOX_CHANNEL_ID, SANDBOX_MODEL
from oneapi.pricing.money import rate_from_usd_per_million
from oneapi.runtime.ids import new_id
from services.admin.publishing import published
from services.admin.store.changes import Author, Change
from services.admin.store.schema import Account, Channel, Price, PriceVersion

AUTHOR = Author(id="bootstrap", kind="system", name="first start")
SANDBOX_INPUT_USD = "0.10"
SANDBOX_OUTPUT_USD = "0.40"


async def bootstrap(session: AsyncSession) -> bool:
    """Fills an empty database, in the running transaction; False when it was filled before."""
    change = await Change.begin(session, AUTHOR)
    if await session.get(Account, OPERATOR_ACCOUNT_ID) is not None:
        return False
    account = Account(
        id=OPERATOR_ACCOUNT_ID,
        name="operator",
        unlimited=True,
        group="default",
        enabled=True,
        created_at_ms=change.at_ms,
        updated_at_ms=change.at_ms,
    )
    account.revision = await change.publish("account", account.id, published.account(account))
    channel = _sandbox(change)
    channel.revision = await change.publish("channel", channel.id, published.channel(channel))
    session.add_all([account, channel])
    await _price(change)
    for resource, row in (("account", account), ("channel", channel)):
        change.record(f"{resource}.create", resource, row.id, after={"id": row.id, "name": row.name})
    change.record("price.create", "price", SANDBOX_MODEL)
    return True


def _sandbox(change: Change) -> Channel:
    return Channel(
        id=SANDBOX_CHANNEL_ID,
        name="sandbox",
        provider="sandbox",
        models=[SANDBOX_MODEL],
        base_url="",
        api_key_sealed="",
        api_key_last4="",
        dialects=[],
        endpoints=[],
        model_mapping={},
        groups=["*"],
        priority=0,
        weight=1,
        headers_sealed={},
        limits={},
        enabled=True,
        config={},
        public_name="",
        hidden_models=[],
        created_at_ms=change.at_ms,
        updated_at_ms=change.at_ms,
    )


async def _price(change: Change) -> None:
    version = PriceVersion(
        id=new_id("prc"),
        model=SANDBOX_MODEL,
        channel_id="",
        effective_from_ms=change.at_ms,
        rates={
            "input": rate_from_usd_per_million(SANDBOX_INPUT_USD),
            "output": rate_from_usd_per_million(SANDBOX_OUTPUT_USD),
        },
        tiers=[],
        windows=[],
        created_by=AUTHOR.id,
        created_at_ms=change.at_ms,
        revision=1,
    )
    price = Price(model=SANDBOX_MODEL, channel_id="", created_at_ms=change.at_ms, updated_at_ms=change.at_ms)
    value = published.price(SANDBOX_MODEL, "", [version], change.at_ms)
    price.revision = await change.publish("price", price_id(SANDBOX_MODEL), value)
    change.session.add_all([price, version])
