from oneapi.catalog.public.build import channel_names, public_view
from oneapi.catalog.public.view import PublicTool
from oneapi.catalog.types import Channel, Price, PriceVersion
from oneapi.catalog.view import CatalogView


def channel(number: int, **fields: object) -> Channel:
    settings = {"id": f"ch_{number}", "name": f"n{number}", "provider": "openai", "models": ("m",)} | fields
    return Channel(**settings)  # type: ignore[arg-type]


def catalog(*channels: Channel, prices: dict[tuple[str, str], int] | None = None) -> CatalogView:
    made = {
        (model, channel_id): Price(
            model=model,
            channel_id=channel_id,
            versions=(PriceVersion(id="p", effective_from_ms=0, rates={"input": rate}),),
        )
        for (model, channel_id), rate in (prices or {}).items()
    }
    return CatalogView(channels={each.id: each for each in channels}, prices=made)


def tool(name: str, **fields: object) -> PublicTool:
    settings = {
        "server_id": "mcp_1", "server": "s", "name": name, "title": "", "description": "", "input_schema": "{}",
        "usd_per_call": "0", "listed_at_ms": 0,
    } | fields  # fmt: skip
    return PublicTool(**settings)  # type: ignore[arg-type]


def test_enabled_channels_under_their_public_names() -> None:
    view = public_view(
        catalog(
            channel(1, models=("b", "a"), public_name="Fast", priority=1),
            channel(2, models=("a",), priority=2),
            channel(3, enabled=False),
        ),
        (),
        0,
    )
    assert [(offer.model, offer.channel) for offer in view.offers] == [("a", "n2"), ("a", "Fast"), ("b", "Fast")]


def test_hidden_models_are_not_there() -> None:
    view = public_view(
        catalog(channel(1, models=("a", "b"), hidden_models=("a",)), channel(2, models=("c",), hidden_models=("*",))),
        (),
        0,
    )
    assert view.models == ("b",)


def test_no_two_channels_have_one_name() -> None:
    channels = [
        channel(1, name="x (2)"),
        channel(2, public_name="x"),
        channel(3, name="x"),
        channel(4, name="x", hidden_models=("*",)),
        channel(5, name="x", enabled=False),
        channel(6, name="x"),
    ]
    names = channel_names(catalog(*channels))
    assert names == {"ch_1": "x (2)", "ch_2": "x", "ch_3": "x (3)", "ch_6": "x (4)"}


def test_a_channels_own_price_goes_before_the_models() -> None:
    view = public_view(catalog(channel(1), channel(2), prices={("m", ""): 1_000_000, ("m", "ch_2"): 2_000_000}), (), 0)
    found = {offer.channel: offer.price.now.of("input") for offer in view.offers if offer.price}
    assert found == {"n1": "1", "n2": "2"}


def test_the_revision_is_that_of_the_contents() -> None:
    one, same = (public_view(catalog(channel(1)), (tool("a"), tool("b")), at) for at in (0, 5))
    assert one.revision == same.revision
    assert public_view(catalog(channel(1)), (tool("b"), tool("a")), 0).revision == one.revision
    others = (
        public_view(catalog(channel(1), prices={("m", ""): 1}), (tool("a"), tool("b")), 0),
        public_view(catalog(channel(1)), (tool("a"),), 0),
        public_view(catalog(channel(1, name="y")), (tool("a"), tool("b")), 0),
        public_view(catalog(channel(1)), (tool("a"), tool("b", usd_per_call="1")), 0),
    )
    assert len({one.revision, *(other.revision for other in others)}) == 5


def test_the_view_says_when_it_changes_by_itself() -> None:
    priced = catalog(channel(1, models=("m", "secret"), hidden_models=("secret",)))
    coming = {
        ("m", ""): Price(model="m", versions=(PriceVersion(id="p", effective_from_ms=70, rates={}),)),
        ("secret", ""): Price(model="secret", versions=(PriceVersion(id="p", effective_from_ms=60, rates={}),)),
    }
    view = CatalogView(channels=priced.channels, prices=coming)
    assert public_view(view, (), 50).changes_at_ms == 70
    assert public_view(view, (), 80).changes_at_ms is None
