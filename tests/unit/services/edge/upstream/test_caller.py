import time

from multidict import CIMultiDict

from oneapi.catalog.types import Channel
from oneapi.providers.registry import PROVIDERS
from oneapi.providers.spec import Headers, Outgoing
from oneapi.runtime.egress.addresses import check_url
from services.edge.upstream.caller import Call, call_headers, head_of
from services.edge.upstream.http1_request import prepare
from services.edge.upstream.target import Target

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


def test_what_signs_a_request_sees_it_as_it_goes_out() -> None:
    seen: list[Outgoing] = []

    def sign(outgoing: Outgoing, now_s: float) -> Headers:
        assert abs(time.time() - now_s) < 60
        seen.append(outgoing)
        return [("Authorization", f"signed {len(seen)}")]

    url = "http://127.0.0.1:81/model/a%3A0/x"
    always = CIMultiDict({"Authorization": "Bearer upstream", "Content-Type": "application/json"})
    channel = Channel(id="c", name="c", provider="openai", models=("m",))
    target = Target(channel, PROVIDERS["openai"], {"openai_chat": always}, 1, 1, 1, 1, {}, sign)
    prepared = prepare(check_url(url, True), url, always.items())
    for number in (1, 2):
        head = head_of(prepared, target, call("openai_chat", traceparent="00-1")).decode()
        assert head.startswith("POST /model/a%3A0/x HTTP/1.1\r\nHost: 127.0.0.1:81\r\n")
        assert f"Authorization: signed {number}\r\n" in head
        assert "Bearer" not in head
        assert "traceparent: 00-1\r\n" in head
    assert seen[0] == Outgoing("POST", "127.0.0.1:81", "/model/a%3A0/x", "application/json", b"{}")
    assert always["Authorization"] == "Bearer upstream"
