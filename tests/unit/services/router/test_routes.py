import pytest

from oneapi.catalog.types import Channel
from services.router.routes import NO_CHANNEL, UNKNOWN_MODEL, Reach, RoutingTable
from tests.unit.services.router.arrangements import ASK, PROVIDERS, catalog, make_channel


def table(*channels: Channel) -> RoutingTable:
    return RoutingTable(catalog(channels), PROVIDERS.get)


def reasons(reach: Reach) -> dict[str, str]:
    return {left.channel_id: left.reason for left in reach.left_out}


def test_routes_come_by_priority_then_id() -> None:
    reach = table(make_channel("c"), make_channel("b", priority=5), make_channel("a")).reach(ASK)
    assert [route.channel_id for route in reach.routes] == ["b", "a", "c"]
    assert reach.refusal == ""


def test_mapped_model_is_named_as_the_upstream_names_it() -> None:
    reach = table(make_channel("a", model_mapping={"m": "m-2026"}), make_channel("b")).reach(ASK)
    assert [route.upstream_model for route in reach.routes] == ["m-2026", "m"]


def test_provider_says_what_the_channel_leaves_unsaid() -> None:
    routing = table(
        make_channel("open"), make_channel("own", dialects=("openai_chat",), endpoints=("chat",)),
        make_channel("claude", provider="anthropic"),
    )  # fmt: skip
    reach = routing.reach(ASK._replace(dialects=("anthropic_messages",)))
    assert [route.channel_id for route in reach.routes] == ["claude"]
    assert reasons(reach)["own"] == "speaks openai_chat, not anthropic_messages"
    reach = routing.reach(ASK._replace(endpoint="embeddings"))
    assert [route.channel_id for route in reach.routes] == ["open"]
    assert reasons(reach)["own"] == "does not serve the endpoint embeddings"


@pytest.mark.parametrize("endpoint", ["chat", "responses", "messages", "completions"])
def test_every_conversation_needs_a_channel_that_can_chat(endpoint: str) -> None:
    reach = table(make_channel("a", endpoints=("chat",)), make_channel("b", endpoints=("embeddings",))).reach(
        ASK._replace(endpoint=endpoint)
    )
    assert [route.channel_id for route in reach.routes] == ["a"]


def test_callers_order_of_dialects_wins() -> None:
    routing = table(make_channel("a"))
    for dialects in (("openai_chat", "openai_responses"), ("anthropic_messages", "openai_chat")):
        assert routing.reach(ASK._replace(dialects=dialects)).routes[0].dialect == "openai_chat"
    assert routing.reach(ASK).routes[0].dialect == "openai_responses"


def test_what_the_caller_must_convert_is_said_and_the_channel_says_what_to() -> None:
    routing = table(make_channel("a"), make_channel("claude", provider="anthropic", priority=-1))
    asked = ("anthropic_messages", "openai_chat", "openai_responses")
    routes = routing.reach(ASK._replace(dialects=asked)).routes
    assert [(route.channel_id, route.dialect) for route in routes] == [
        ("a", "openai_responses"),
        ("claude", "anthropic_messages"),
    ]
    assert [route.converted for route in routes] == ["converted from anthropic_messages to openai_responses", ""]


def test_dialects_of_conversations_do_not_restrict_other_endpoints() -> None:
    ask = ASK._replace(endpoint="embeddings", dialects=("openai_embeddings",))
    assert table(make_channel("a")).reach(ask).routes[0].dialect == "openai_embeddings"


def test_models_out_of_the_callers_reach_do_not_exist() -> None:
    vip = make_channel("vip", groups=("vip",))
    assert table().reach(ASK).refusal == UNKNOWN_MODEL
    assert table(vip).reach(ASK).refusal == UNKNOWN_MODEL
    assert table(vip).reach(ASK._replace(group="vip")).refusal == ""
    reach = table(make_channel("a")).reach(ASK._replace(channels=("b",)))
    assert reach.refusal == UNKNOWN_MODEL
    assert reasons(reach) == {"a": "not among the key's channels"}


def test_no_channel_is_when_none_of_the_callers_channels_can_serve() -> None:
    reach = table(make_channel("a", enabled=False), make_channel("b", provider="nobody")).reach(ASK)
    assert reach.refusal == NO_CHANNEL
    assert reasons(reach) == {"a": "switched off", "b": "its provider 'nobody' is not known to this version"}


def test_answers_are_kept() -> None:
    routing = table(make_channel("a"))
    assert routing.reach(ASK) is routing.reach(ASK._replace())


def test_invented_models_do_not_fill_the_memory() -> None:
    routing = table(make_channel("a"))
    for number in range(20_000):
        routing.reach(ASK._replace(model=f"invented-{number}"))
    assert len(routing._kept) <= 8_192
