from types import MappingProxyType

from oneapi.catalog.types import Account, Channel, Price, PriceTier, PriceVersion, RelayKey
from oneapi.catalog.view import CatalogView
from services.edge.authentication import Caller
from services.edge.inference.offers import Offers, highest, make_offer, may_use, serving_channels

NOW_MS = 1_000_000


def channel(name: str, **fields: object) -> Channel:
    return Channel(id=name, name=name, provider="openai", models=("m",), **fields)  # type: ignore[arg-type]


def price(channel_id: str = "", *versions: PriceVersion, **rates: int) -> Price:
    given = versions or (PriceVersion(id="p", effective_from_ms=0, rates=rates),)
    return Price(model="m", channel_id=channel_id, versions=given)


def view(channels: list[Channel], prices: list[Price]) -> CatalogView:
    return CatalogView(
        channels=MappingProxyType({found.id: found for found in channels}),
        prices=MappingProxyType({(found.model, found.channel_id): found for found in prices}),
    )


def caller(catalog: CatalogView, group: str = "default", **key: object) -> Caller:
    relay_key = RelayKey(id="k", name="k", account_id="a", **key)  # type: ignore[arg-type]
    return Caller(relay_key, Account(id="a", name="a", group=group), catalog)


def test_a_channel_serves_its_groups_and_the_keys_that_may() -> None:
    catalog = view([channel("a"), channel("b", groups=("vip",)), channel("c", enabled=False)], [])
    assert [found.id for found in serving_channels(caller(catalog), "m")] == ["a"]
    assert [found.id for found in serving_channels(caller(catalog, "vip"), "m")] == ["b"]
    assert serving_channels(caller(catalog, channels=("b",)), "m") == ()
    assert serving_channels(caller(catalog), "other") == ()
    assert may_use(caller(catalog), "m")
    assert not may_use(caller(catalog, models=("other",)), "m")


def test_formats_are_the_channels_own_or_those_of_their_providers() -> None:
    catalog = view([channel("a", dialects=("openai_chat",)), channel("b", groups=("vip",))], [])
    assert make_offer(caller(catalog), "m", NOW_MS).dialects == {"openai_chat"}
    assert make_offer(caller(catalog, "vip"), "m", NOW_MS).dialects == {"openai_responses", "openai_chat"}
    assert not make_offer(caller(catalog), "other", NOW_MS).dialects


def test_the_ceiling_is_over_every_price_that_may_apply() -> None:
    catalog = view([channel("a"), channel("b")], [price("", input=2, output=8), price("b", input=3, output=5)])
    offer = make_offer(caller(catalog), "m", NOW_MS)
    assert offer.ceiling == {"input": 3, "output": 8}
    assert offer.unpriced == frozenset()
    narrow = make_offer(caller(catalog, channels=("b",)), "m", NOW_MS)
    assert narrow.ceiling == {"input": 3, "output": 5}


def test_tiers_and_prices_about_to_begin_count() -> None:
    tier = PriceTier(above_input_tokens=10, rates={"input": 9})
    now = PriceVersion(id="1", effective_from_ms=0, rates={"input": 2}, tiers=(tier,))
    soon = PriceVersion(id="2", effective_from_ms=NOW_MS + 5_000, rates={"input": 11})
    late = PriceVersion(id="3", effective_from_ms=NOW_MS + 500_000, rates={"input": 99})
    catalog = view([channel("a")], [price("", now, soon, late)])
    assert make_offer(caller(catalog), "m", NOW_MS).ceiling == {"input": 11}
    past = view([channel("a")], [price("", now, late)])
    assert make_offer(caller(past), "m", NOW_MS).ceiling == {"input": 9}


def test_channels_without_a_price_are_named() -> None:
    catalog = view([channel("a"), channel("b")], [price("b", input=3)])
    offer = make_offer(caller(catalog), "m", NOW_MS)
    assert (offer.ceiling, offer.unpriced) == ({"input": 3}, frozenset({"a"}))
    nothing = make_offer(caller(view([channel("a")], [])), "m", NOW_MS)
    assert (nothing.ceiling, nothing.unpriced) == (None, frozenset({"a"}))


def test_a_bucket_counts_as_what_it_falls_back_to() -> None:
    assert highest([{"input": 5, "output": 1}, {"input": 1, "cached_input": 1, "reasoning": 3}]) == {
        "input": 5,
        "cached_input": 5,
        "output": 1,
        "reasoning": 3,
    }


def test_offers_are_kept_until_the_catalog_changes_or_they_are_old() -> None:
    offers = Offers()
    catalog = view([channel("a")], [price("", input=2)])
    first = offers.find(caller(catalog), "m", NOW_MS)
    assert offers.find(caller(catalog), "m", NOW_MS + 1) is first
    assert offers.find(caller(catalog), "m", NOW_MS + 10_000) is not first
    other = view([channel("a")], [price("", input=4)])
    assert offers.find(caller(other), "m", NOW_MS).ceiling == {"input": 4}
