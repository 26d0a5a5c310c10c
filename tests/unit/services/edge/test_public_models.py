import msgspec
import pytest

from oneapi.catalog.types import Channel, Price, PriceVersion
from oneapi.catalog.view import CatalogView
from oneapi.dialects.errors import GatewayError
from services.edge.public_models import PublicModels


def catalog(effective_from_ms: int = 0, **fields: object) -> CatalogView:
    settings: dict[str, object] = {"id": "c", "name": "c", "provider": "openai", "models": ("m", "hidden")}
    channel = Channel(**settings | {"hidden_models": ("hidden",)} | fields)  # type: ignore[arg-type]
    version = PriceVersion(id="p", effective_from_ms=effective_from_ms, rates={"input": 1_000_000})
    return CatalogView(channels={"c": channel}, prices={("m", ""): Price(model="m", versions=(version,))})


async def test_it_is_made_once_for_each_state() -> None:
    view: CatalogView | None = None
    models = PublicModels(lambda: view)
    with pytest.raises(GatewayError) as refused:
        await models.current(5)
    assert refused.value.status == 503
    view = catalog()
    made = await models.current(5)
    assert [model["id"] for model in msgspec.json.decode(made.body)["data"]] == ["m"]
    assert await models.current(10**15) is made
    view = catalog()
    again = await models.current(5)
    assert again is not made
    assert again.tag == made.tag


async def test_a_price_that_begins_is_seen() -> None:
    view = catalog(effective_from_ms=100)
    models = PublicModels(lambda: view)
    before = await models.current(99)
    assert before.until_ms == 100
    after = await models.current(100)
    assert after.tag != before.tag
    assert after.until_ms is None
