"""A client of one format, a channel of another, through every service: what the router says, and what is billed."""

from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.gateway import Gateway, UpstreamServer

MODEL = "converted-claude"


@pytest.fixture(scope="module")
def key(gateway: Gateway, upstream: UpstreamServer) -> str:
    gateway.channel(upstream, {MODEL: "play:tokens=5,cached=4"}, provider="anthropic-compatible")
    gateway.channel(upstream, {"gemini-play": "play:tokens=5,cached=4"}, provider="gemini")
    return gateway.key()


def asked(**more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], **more}


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_over_a_channel_of_messages(gateway: Gateway, key: str, stream: bool) -> None:
    with gateway.client(key) as http:
        answer = http.post("/v1/chat/completions", json=asked(stream=stream, seed=7))
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-oneapi-loss"] == "seed"
    receipt = gateway.receipt(key, answer.headers["x-request-id"])
    assert receipt["loss"] == ["seed"]
    assert receipt["usage"] == {"input": 7, "cached_input": 4, "output": 5}
    assert (receipt["endpoint"], receipt["evidence"], receipt["outcome"]) == ("chat", "provider", "ok")
    assert Decimal(receipt["cost_usd"]) > 0


def test_strict(gateway: Gateway, key: str) -> None:
    with gateway.client(key) as http:
        strict = {"x-oneapi-strict": "1"}
        assert http.post("/v1/chat/completions", json=asked(), headers=strict).status_code == 200
        refused = http.post("/v1/chat/completions", json=asked(seed=7), headers=strict)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "conversion_loss")


def test_the_router_explains_the_conversion(gateway: Gateway, key: str) -> None:
    answer = gateway.admin.post("/api/explain", json={"model": MODEL, "endpoint": "chat"}).raise_for_status().json()
    (considered,) = answer["considered"]
    assert considered["dialect"] == "anthropic_messages"
    assert "converted from openai_chat to anthropic_messages" in considered["reason"]
    answer = gateway.admin.post("/api/explain", json={"model": MODEL, "endpoint": "messages"}).raise_for_status().json()
    assert "converted" not in answer["considered"][0]["reason"]


@pytest.mark.parametrize("model", [MODEL, "gemini-play"])
@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent"])
def test_a_client_of_googles(gateway: Gateway, key: str, model: str, verb: str) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "labels": {"a": "b"}}
    with gateway.client("") as http:
        del http.headers["authorization"]
        answer = http.post(f"/v1beta/models/{model}:{verb}?key={key}", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers.get("x-oneapi-loss", "") == ("metadata" if model == MODEL else "")
    receipt = gateway.receipt(key, answer.headers["x-request-id"])
    assert receipt["usage"] == {"input": 7, "cached_input": 4, "output": 5}
    assert (receipt["endpoint"], receipt["model"]) == ("generate_content", model)
    assert (receipt["evidence"], receipt["outcome"]) == ("provider", "ok")
    assert Decimal(receipt["cost_usd"]) > 0


def test_a_channel_of_googles_is_tested_and_explained(gateway: Gateway, key: str) -> None:
    asked = {"model": "gemini-play", "endpoint": "generate_content"}
    (considered,) = gateway.admin.post("/api/explain", json=asked).raise_for_status().json()["considered"]
    assert considered["dialect"] == "gemini_generate"
    assert "converted" not in considered["reason"]
    tested = gateway.admin.post(f"/api/channels/{considered['channel_id']}/test").json()
    assert (tested["ok"], tested["models_found"], tested["models_missing"]) == (True, 1, [])
