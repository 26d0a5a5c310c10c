"""The view of the catalog."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.catalog.entries import Entry, price_id
from oneapi.catalog.types import Account, Channel, McpServer, Price, PriceVersion, RelayKey
from oneapi.catalog.view import CatalogView


def entry(kind: str, entry_id: str, revision: int, value: msgspec.Struct | None) -> Entry:
    return Entry(kind, entry_id, revision, deleted=value is None, value=value)


def channel(number: int, revision: int, **fields: object) -> Entry:
    settings = {"id": f"ch_{number}", "name": f"r{revision}", "provider": "openai", "models": ("gpt-x",)} | fields
    return entry("channel", f"ch_{number}", revision, Channel(**settings))  # type: ignore[arg-type]


def price(model: str, channel_id: str, revision: int) -> Entry:
    version = PriceVersion(id=f"p{revision}", effective_from_ms=0, rates={"input": revision})
    value = Price(model=model, channel_id=channel_id, versions=(version,))
    return entry("price", price_id(model, channel_id), revision, value)


def test_each_kind_has_its_place() -> None:
    view = CatalogView().apply_all(
        [
            entry("account", "acc_1", 1, Account(id="acc_1", name="one")),
            channel(1, 2),
            entry("mcp_server", "mcp_1", 3, McpServer(id="mcp_1", name="m", url="https://x.example")),
            price("gpt-x", "", 4),
            entry("key", "00", 5, RelayKey(id="key_1", name="k", account_id="acc_1")),
        ]
    )
    assert view.revision == 4
    assert set(view.accounts) == {"acc_1"}
    assert set(view.channels) == {"ch_1"}
    assert set(view.mcp_servers) == {"mcp_1"}
    assert set(view.prices) == {("gpt-x", "")}


def test_a_view_never_changes() -> None:
    before = CatalogView().apply(channel(1, 1))
    after = before.apply(channel(2, 2))
    assert set(before.channels) == {"ch_1"}
    assert before.models() == ("gpt-x",)
    assert set(after.channels) == {"ch_1", "ch_2"}
    with pytest.raises(TypeError):
        after.channels["x"] = None  # type: ignore[index]
    # What did not change is not copied.
    assert after.accounts is before.accounts


def test_only_newer_entries_count() -> None:
    view = CatalogView().apply(channel(1, 5))
    assert view.apply(channel(1, 5, name="same")) is view
    assert view.apply(channel(1, 4, name="old")) is view
    gone = view.apply(entry("channel", "ch_1", 6, None))
    assert gone.channels == {}
    assert gone.apply(channel(1, 5)) is gone
    assert gone.apply(channel(1, 7)).channels["ch_1"].name == "r7"
    # A deletion of what was never seen is remembered as well.
    assert CatalogView().apply(entry("channel", "ch_9", 6, None)).apply(channel(9, 5)).channels == {}


def test_channels_of_a_model() -> None:
    view = CatalogView().apply_all(
        [
            channel(3, 1, priority=1),
            channel(2, 2, priority=5),
            channel(1, 3, priority=1),
            channel(4, 4, enabled=False, models=("gpt-x", "hidden")),
            channel(5, 5, models=("other", "other")),
        ]
    )
    assert [one.id for one in view.channels_for("gpt-x")] == ["ch_2", "ch_1", "ch_3"]
    assert [one.id for one in view.channels_for("other")] == ["ch_5"]
    assert view.channels_for("hidden") == ()
    assert view.models() == ("gpt-x", "other")


def test_a_channels_own_price_wins() -> None:
    view = CatalogView().apply_all([price("a", "", 1), price("a", "ch_1", 2), price("b", "ch_1", 3)])
    own, general = view.price("a", "ch_1"), view.price("a", "ch_2")
    assert own is not None
    assert general is not None
    assert (own.channel_id, general.channel_id) == ("ch_1", "")
    assert view.price("b", "ch_2") is None


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=12), st.randoms())
def test_the_order_of_arrival_does_not_matter(changes: list[tuple[int, bool]], random: object) -> None:
    entries = [
        entry("channel", f"ch_{number}", revision, None) if deleted else channel(number, revision)
        for revision, (number, deleted) in enumerate(changes, start=1)
    ]
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis has no public type for it
    in_order, one_by_one = CatalogView().apply_all(entries), CatalogView()
    for one in shuffled:
        one_by_one = one_by_one.apply(one)
    assert one_by_one == in_order
