import itertools

from oneapi.catalog.toolset import merge
from tests.unit.services.mcp.arrangements import make_server, make_tool


def test_tools_of_all_servers_are_merged_by_name() -> None:
    merged = merge([(make_server("a"), [make_tool("z"), make_tool("b")]), (make_server("c"), [make_tool("k")])])
    assert {name: offer.server.id for name, offer in merged.offers.items()} == {"b": "a", "k": "c", "z": "a"}
    assert list(merged.offers) == ["b", "k", "z"]
    assert merged.clashes == ()


def test_a_name_belongs_to_the_higher_priority_whatever_the_order() -> None:
    listings = [
        (make_server("a", priority=1), [make_tool("t")]),
        (make_server("b", priority=3), [make_tool("t")]),
        (make_server("c", priority=2), [make_tool("t")]),
    ]
    for order in itertools.permutations(listings):
        merged = merge(order)
        assert merged.offers["t"].server.id == "b"
        assert [(clash.tool, clash.kept.id, clash.hidden.id) for clash in merged.clashes] == [
            ("t", "b", "c"),
            ("t", "b", "a"),
        ]


def test_among_equals_the_first_name_then_id_has_it() -> None:
    older, newer = make_server("2", name="same"), make_server("1", name="same")
    other = make_server("0", name="zzz")
    merged = merge([(server, [make_tool("t")]) for server in (other, older, newer)])
    assert merged.offers["t"].server.id == "1"


def test_what_a_server_does_not_offer_takes_no_name() -> None:
    high = make_server("high", priority=9, deny=("t",))
    merged = merge([(high, [make_tool("t")]), (make_server("low"), [make_tool("t")])])
    assert merged.offers["t"].server.id == "low"
    assert merged.clashes == ()
