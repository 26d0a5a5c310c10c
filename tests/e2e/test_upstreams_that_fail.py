"""What clients see, and what they pay, when upstreams misbehave."""

import time
from decimal import Decimal

import httpx2
import openai
import pytest

from tests.e2e.gateway import Gateway, UpstreamServer

MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def key(gateway: Gateway) -> str:
    return gateway.key()


def ask(
    gateway: Gateway, key: str, model: str, *, stream: bool = False, path: str = "/v1/chat/completions"
) -> httpx2.Response:
    body = {"model": model, "messages": MESSAGES, "stream": stream, "max_tokens": 50}
    return gateway.client(key).post(path, json=body)


def test_a_failing_channel_is_passed_over(gateway: Gateway, upstream: UpstreamServer, key: str) -> None:
    gateway.channel(upstream, {"fallback": "play:status=500"}, priority=10)
    second = gateway.channel(upstream, {"fallback": "play:tokens=4"}, priority=0)
    answer = ask(gateway, key, "fallback")
    assert answer.status_code == 200
    assert answer.headers["x-oneapi-channel"] == second
    receipt = gateway.receipt(key, answer.headers["x-request-id"])
    assert [attempt["status"] for attempt in receipt["attempts"]] == [500, 200]
    assert receipt["usage"] == {"input": 11, "output": 4}


@pytest.mark.parametrize("stream", [False, True])
def test_all_upstreams_failing_is_an_error_that_names_no_secret(
    gateway: Gateway, upstream: UpstreamServer, key: str, stream: bool
) -> None:
    model = f"all-fail-{stream}".lower()
    gateway.channel(upstream, {model: "play:status=502,html=1"})
    answer = ask(gateway, key, model, stream=stream)
    assert answer.status_code in {502, 503}
    text = answer.text
    for secret in ("upstream-credential", "sk-upstream-secret", upstream.url, "127.0.0.1", "<html"):
        assert secret not in text
    receipt = gateway.receipt(key, answer.headers["x-request-id"])
    assert Decimal(receipt["cost_usd"]) == 0
    assert receipt["outcome"] == "upstream_error"


def test_an_upstream_that_says_429_is_429_with_retry_after(
    gateway: Gateway, upstream: UpstreamServer, key: str
) -> None:
    gateway.channel(upstream, {"busy": "play:status=429,retry_after=7"})
    answer = ask(gateway, key, "busy")
    assert answer.status_code in {429, 503}
    assert int(answer.headers["retry-after"]) >= 1


def test_a_bad_credential_is_not_the_clients_fault(gateway: Gateway, upstream: UpstreamServer, key: str) -> None:
    gateway.channel(upstream, {"unauthorized": "play:status=401"})
    assert ask(gateway, key, "unauthorized").status_code in {502, 503}


def test_a_bad_request_upstream_is_passed_back(gateway: Gateway, upstream: UpstreamServer, key: str) -> None:
    gateway.channel(upstream, {"refused": "play:status=400"})
    answer = ask(gateway, key, "refused")
    assert answer.status_code == 400
    assert len(upstream.served(model="play:status=400")) == 1


@pytest.mark.parametrize(
    ("script", "outcome"),
    [("play:tokens=6,cut=3", "upstream_cut"), ("play:tokens=6,error_event=3", "upstream_cut")],
)
def test_a_stream_that_breaks_ends_in_an_error_event_and_a_true_bill(
    gateway: Gateway, upstream: UpstreamServer, key: str, script: str, outcome: str
) -> None:
    model = "breaks-" + script[-8:].strip("=,").replace("=", "")
    gateway.channel(upstream, {model: script})
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)
    stream = client.chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": "hi"}], stream=True
    )
    text = ""
    with pytest.raises(openai.APIError):
        for chunk in stream.parse():
            text += chunk.choices[0].delta.content or ""
    assert text == " tok" * 3
    receipt = gateway.receipt(key, stream.headers["x-request-id"])
    assert receipt["outcome"] == outcome
    assert receipt["evidence"] == "counted"
    assert receipt["usage"]["output"] == 3


def test_a_stream_cut_before_its_first_token_moves_on(gateway: Gateway, upstream: UpstreamServer, key: str) -> None:
    gateway.channel(upstream, {"early-cut": "play:cut=0"}, priority=10)
    gateway.channel(upstream, {"early-cut": "play:tokens=2"}, priority=0)
    answer = ask(gateway, key, "early-cut", stream=True)
    assert answer.status_code == 200
    assert answer.text.count(" tok") == 2


def test_a_missing_usage_is_counted(gateway: Gateway, upstream: UpstreamServer, key: str) -> None:
    gateway.channel(upstream, {"no-usage": "play:tokens=6,usage=0"})
    for stream in (False, True):
        answer = ask(gateway, key, "no-usage", stream=stream)
        receipt = gateway.receipt(key, answer.headers["x-request-id"])
        assert receipt["evidence"] == "counted"
        assert receipt["usage"]["output"] == 6


def test_a_malformed_chunk_is_not_forged_into_a_good_end(gateway: Gateway, upstream: UpstreamServer, key: str) -> None:
    gateway.channel(upstream, {"malformed": "play:tokens=6,malformed=2"})
    answer = ask(gateway, key, "malformed", stream=True)
    receipt = gateway.receipt(key, answer.headers["x-request-id"])
    assert receipt["usage"]["output"] >= 2
    assert Decimal(receipt["cost_usd"]) > 0


def test_time_outs(gateway: Gateway, upstream: UpstreamServer, key: str) -> None:
    limits = {"first_byte_timeout_s": 0.3, "idle_timeout_s": 0.3}
    gateway.channel(upstream, {"slow-start": "play:first_byte_ms=60000"}, limits=limits)
    began = time.monotonic()
    assert ask(gateway, key, "slow-start").status_code in {502, 503, 504}
    gateway.channel(upstream, {"goes-silent": "play:tokens=6,silent=2"}, limits=limits)
    answer = ask(gateway, key, "goes-silent", stream=True)
    assert time.monotonic() - began < 60
    assert answer.text.count(" tok") == 2
    assert '"error"' in answer.text
    assert gateway.receipt(key, answer.headers["x-request-id"])["outcome"] == "upstream_cut"


def test_a_client_that_leaves_stops_the_upstream_and_pays_for_what_it_got(
    gateway: Gateway, upstream: UpstreamServer, key: str
) -> None:
    script = "play:tokens=2000,gap_ms=20"
    gateway.channel(upstream, {"left": script})
    body = {"model": "left", "messages": MESSAGES, "stream": True}
    with gateway.client(key).stream("POST", "/v1/chat/completions", json=body) as answer:
        request_id = answer.headers["x-request-id"]
        seen = 0
        for line in answer.iter_lines():
            seen += " tok" in line
            if seen == 3:
                break
    receipt = gateway.receipt(key, request_id)
    assert receipt["outcome"] == "client_gone"
    assert receipt["evidence"] == "counted"
    entry = upstream.served(model=script)[-1]
    assert not entry["whole"]
    assert 3 <= receipt["usage"]["output"] <= entry["tokens"] < 500


def test_credentials_never_travel_upstream(gateway: Gateway, upstream: UpstreamServer, key: str) -> None:
    gateway.channel(upstream, {"headers": "play:tokens=1"})
    gateway.client(key).post(
        "/v1/chat/completions",
        json={"model": "headers", "messages": MESSAGES},
        headers={"cookie": "session=1", "x-forwarded-for": "10.0.0.1", "x-api-key-other": "mine"},
    )
    entry = upstream.served(model="play:tokens=1")[-1]
    assert entry["credential"] == "Bearer upstream-credential"
    assert key not in str(entry)
    assert not {"cookie", "x-forwarded-for", "x-api-key-other"} & {name.lower() for name in entry["headers"]}
