from oneapi.catalog.public.view import PublicOffer, PublicRates, PublicView


def offer(model: str, channel: str, *groups: str) -> PublicOffer:
    return PublicOffer(
        channel=channel, provider="openai", model=model, endpoints=(), groups=groups, max_output_tokens=None, price=None
    )


def test_rates_know_their_own_prices_only() -> None:
    rates = PublicRates(per_million=(("input", "1.5"),), per_unit=(("image", "0"),))
    assert (rates.of("input"), rates.of("image"), rates.of("cached_input")) == ("1.5", "0", None)


def test_offers_are_found_by_model() -> None:
    offers = (offer("a", "one"), offer("a", "two"), offer("b", "one"))
    view = PublicView(revision="r", offers=offers, tools=(), changes_at_ms=None)
    assert view.models == ("a", "b")
    assert view.by_model == {"a": offers[:2], "b": offers[2:]}


def test_an_offer_is_for_its_groups() -> None:
    assert offer("a", "c", "gold").serves("gold")
    assert not offer("a", "c", "gold").serves("default")
    assert offer("a", "c", "*").serves("default")
