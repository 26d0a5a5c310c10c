from multidict import CIMultiDict

from services.edge.upstream.caller import Call, call_headers

ALWAYS = CIMultiDict({"Authorization": "Bearer upstream", "anthropic-version": "2023-06-01"})
RELAYED = (("openai-beta", "a"), ("anthropic-version", "2024-01-01"), ("anthropic-beta", "b"))


def call(dialect: str, relayed: tuple[tuple[str, str], ...] = (), traceparent: str = "") -> Call:
    return Call(dialect, "m", b"{}", False, relayed, traceparent, "r")


def test_without_anything_of_the_client_the_channels_own_are_used() -> None:
    assert call_headers(ALWAYS, call("openai_chat")) is ALWAYS


def test_each_dialect_gets_its_own() -> None:
    openai = call_headers(ALWAYS, call("openai_chat", RELAYED))
    assert (openai["openai-beta"], openai["anthropic-version"]) == ("a", "2023-06-01")
    assert "anthropic-beta" not in openai
    anthropic = call_headers(ALWAYS, call("anthropic_messages", RELAYED, "00-1"))
    assert anthropic.getall("anthropic-version") == ["2024-01-01"]
    assert anthropic["traceparent"] == "00-1"
    assert "openai-beta" not in anthropic
    assert "traceparent" not in ALWAYS
