"""What upstreams are asked to count, and what they and clients are told."""

import msgspec
import pytest

from oneapi.dialects.counting import CLIENT_COUNTS, UPSTREAM_COUNTS
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.registry import DIALECTS

MESSAGES, RESPONSES, GEMINI = "anthropic_messages", "openai_responses", "gemini_generate"
HI = b'"messages":[{"role":"user","content":"hi"}]'


def test_a_message_to_count_needs_no_cap() -> None:
    complete = CLIENT_COUNTS[MESSAGES].complete
    body = b'{"model":"m",' + HI + b"}"
    assert DIALECTS[MESSAGES].inspect(complete(body)).model == "m"
    named = b'  {"model":"max_tokens",' + HI + b"}"
    assert DIALECTS[MESSAGES].inspect(complete(named.replace(b"hi", b'\\"max_tokens\\"'))).model == "max_tokens"
    assert complete(b" {} ") == b" {} "
    assert complete(b"[]") == b"[]"
    with_cap = b'{"model":"m","max_tokens":7,' + HI + b"}"
    assert complete(with_cap) is with_cap
    with pytest.raises(GatewayError) as refused:
        DIALECTS[MESSAGES].inspect(complete(b"{"))
    assert refused.value.code == "invalid_json"


def test_messages_are_counted_without_what_only_says_how_to_answer() -> None:
    body = b'{"model":"m","max_tokens":7,"stream":true,"temperature":0.5,"system":"\\u00e9","tools":[],' + HI + b"}"
    sent = UPSTREAM_COUNTS[MESSAGES].prepare(body, "claude-opus-5")
    assert sent == b'{"system":"\\u00e9","tools":[],' + HI + b',"model":"claude-opus-5"}'


def test_responses_are_counted_without_what_only_says_how_to_answer() -> None:
    body = b'{"model":"m","input":"hi","store":false,"stream":true,"max_output_tokens":9,"instructions":"be kind"}'
    sent = UPSTREAM_COUNTS[RESPONSES].prepare(body, "gpt-5")
    assert sent == b'{"input":"hi","instructions":"be kind","model":"gpt-5"}'


def test_gemini_counts_whole_requests() -> None:
    sent = UPSTREAM_COUNTS[GEMINI].prepare(b'{"contents":[],"tools":[]}', "gemini-2.5-pro")
    assert msgspec.json.decode(sent) == {
        "generateContentRequest": {"contents": [], "tools": [], "model": "models/gemini-2.5-pro"}
    }


def test_gemini_clients_count_contents_or_a_whole_request() -> None:
    complete = CLIENT_COUNTS[GEMINI].complete
    plain = b'{"contents":[]}'
    assert complete(plain) is plain
    for name in ("generateContentRequest", "generate_content_request"):
        body = msgspec.json.encode({name: {"model": "models/m", "contents": [], "tools": []}})
        assert msgspec.json.decode(complete(body)) == {"model": "models/m", "contents": [], "tools": []}
    quoted = b'{"contents":[{"parts":[{"text":"generateContentRequest"}]}]}'
    assert msgspec.json.decode(complete(quoted)) == msgspec.json.decode(quoted)
    for bad in (b'{"generateContentRequest":7}', b'{"generateContentRequest":', b'["generateContentRequest"]'):
        with pytest.raises(GatewayError) as refused:
            complete(bad)
        assert refused.value.status == 400


@pytest.mark.parametrize(
    ("dialect", "answer", "tokens"),
    [
        (MESSAGES, b'{"input_tokens":12,"context_management":{}}', 12),
        (RESPONSES, b'{"object":"response.input_tokens","input_tokens":12}', 12),
        (GEMINI, b'{"totalTokens":12,"promptTokensDetails":[]}', 12),
        (MESSAGES, b'{"input_tokens":-1}', 0),
        (MESSAGES, b'{"input_tokens":"many"}', None),
        (RESPONSES, b"[]", None),
        (GEMINI, b"\xff", None),
    ],
)
def test_what_upstreams_answer(dialect: str, answer: bytes, tokens: int | None) -> None:
    assert UPSTREAM_COUNTS[dialect].read(answer) == tokens


def test_what_clients_get() -> None:
    assert msgspec.json.decode(CLIENT_COUNTS[MESSAGES].answer(3)) == {"input_tokens": 3}
    assert msgspec.json.decode(CLIENT_COUNTS[GEMINI].answer(3)) == {"totalTokens": 3}
    assert msgspec.json.decode(CLIENT_COUNTS[RESPONSES].answer(3)) == {
        "object": "response.input_tokens",
        "input_tokens": 3,
    }
