import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.dialects import request
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.registry import DIALECTS
from oneapi.dialects.request import RequestFacts

GOOD: dict[str, dict[str, Any]] = {
    "openai_chat": {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
    "openai_responses": {"model": "m", "input": "hi"},
    "anthropic_messages": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
    "openai_embeddings": {"model": "m", "input": ["a", "b"]},
}


@pytest.mark.parametrize("name", GOOD)
def test_only_the_models_name_changes(name: str) -> None:
    dialect = DIALECTS[name]
    body = json.dumps({**GOOD[name], "unknown": {"n": 1.0, "e": 1e-7, "big": 2**70}}, indent=1).encode()
    facts = dialect.inspect(body)
    assert dialect.prepare(body, facts, "m") == body
    changed = dialect.prepare(body, facts, "other")
    assert json.loads(changed) == {**json.loads(body), "model": "other"}
    assert b"1e-07" in changed


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    "broken",
    [b"", b"{", b"[]", b"null", b'"x"', b'{"a":NaN}', b'{"a":Infinity}', b'{"model":"\\ud800"}', b"\xff", b"[" * 99],
)
def test_broken_json_is_one_error(name: str, broken: bytes) -> None:
    with pytest.raises(GatewayError) as refused:
        DIALECTS[name].inspect(broken)
    assert refused.value.status == 400
    assert refused.value.message


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("field", ["model", "stream", "messages", "input", "max_tokens", "max_output_tokens", "n"])
@pytest.mark.parametrize("value", [None, 0, -1, 1.5, True, "", "x", [], {}, [[]], 2**40])
def test_any_value_in_any_field_is_taken_or_refused(name: str, field: str, value: object) -> None:
    body = json.dumps({**GOOD[name], field: value}).encode()
    facts = inspected(name, body)
    if facts is not None:
        json.loads(DIALECTS[name].prepare(body, facts, "other", max_output=5))


def inspected(name: str, body: bytes) -> RequestFacts | None:
    """The facts, or None for a body that is refused as a bad request; anything else raised fails the test."""
    status = 400
    try:
        dialect = DIALECTS[name]
        return dialect.inspect(body, model="m", stream=False) if dialect.model_in_path else dialect.inspect(body)
    except GatewayError as refused:
        status = refused.status
    assert status == 400
    return None


@given(st.binary(max_size=300))
def test_any_bytes_raise_only_the_gateways_error(body: bytes) -> None:
    for name in DIALECTS:
        inspected(name, body)


def test_editing_keeps_the_order_and_takes_the_last_of_duplicates() -> None:
    assert request.edit(b'{"b":1,"a":2,"b":3}', {"a": msgspec.Raw(b"9"), "c": 0}) == b'{"b":3,"a":9,"c":0}'


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    "field", ["api_base", "base_url", "api_key", "custom_llm_provider", "extra_headers", "vertex_credentials"]
)
def test_where_a_request_goes_is_not_the_clients_to_say(name: str, field: str) -> None:
    values: list[Any] = ["https://evil.example/v1", None, {}]
    for value in values:
        with pytest.raises(GatewayError) as refused:
            DIALECTS[name].inspect(json.dumps({**GOOD[name], field: value}).encode())
        error = refused.value
        assert (error.status, error.code, error.param) == (400, "unsupported_parameter", field)
        assert "evil" not in error.message


def test_reshaping_leaves_everything_else_as_it_came() -> None:
    body = b'{"a": 1e-7, "b" : { } , "old": 5, "c": false, "d": 1.0}'
    assert request.reshape(body, renamed={"x": "y"}, refused=("d", "z"), dropped=("w",)) is body
    assert request.reshape(body, renamed={"old": "new"}, refused=("b", "c", "d"), dropped=("a",)) == (
        b'{"d":1.0,"new":5}'
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"old":1,"new":2}', b'{"new":2}'),
        (b'{"old":1,"new":null}', b'{"new":1}'),
        (b'{"old":null}', b"{}"),
        (b'{"old":null,"new":2}', b'{"new":2}'),
    ],
)
def test_a_renamed_field_does_not_displace_a_value(body: bytes, expected: bytes) -> None:
    assert request.reshape(body, renamed={"old": "new"}) == expected
