import msgspec
import pytest

from oneapi.dialects.errors import GatewayError
from services.edge.upstream.refusal import clean_refusal, is_error_body, read_refusal


def test_code_message_and_param_are_kept() -> None:
    body = b'{"error": {"message": "Bad temperature.", "type": "x", "param": "temperature", "code": "bad"}}'
    error = read_refusal(400, body)
    assert error is not None
    assert (error.status, error.kind, error.code, error.message, error.param) == (
        400,
        "invalid_request",
        "bad",
        "Bad temperature.",
        "temperature",
    )


def test_anthropics_shape() -> None:
    error = read_refusal(404, b'{"type":"error","error":{"type":"not_found_error","message":"model: x"}}')
    assert error is not None
    assert (error.kind, error.code) == ("not_found", "not_found_error")


def test_googles_shape() -> None:
    error = read_refusal(400, b'{"error":{"code":400,"message":"Bad top_k.","status":"INVALID_ARGUMENT"}}')
    assert error is not None
    assert (error.kind, error.code, error.message) == ("invalid_request", "INVALID_ARGUMENT", "Bad top_k.")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"error": "text"}',
        b'{"error": {"message": 7}}',
        b'{"error": {"message": "<html><body>no</body></html>"}}',
        b'{"error": {"message": "Traceback (most recent call last): x"}}',
        b'{"error": {"message": "x"}}' + b" " * 70_000,
        b"\xff",
    ],
)
def test_what_may_not_be_shown(body: bytes) -> None:
    assert read_refusal(400, body) is None


def test_codes_of_another_form_are_replaced() -> None:
    error = read_refusal(400, b'{"error": {"message": "m", "code": "a b\\n", "type": "<x>", "param": "a b"}}')
    assert error is not None
    assert (error.code, error.param) == ("upstream_refused", None)


@pytest.mark.parametrize("word", ["sk-proj-abcdefgh12345678", "10.1.2.3", "db.internal", "org-abcdefghijkl1234"])
def test_codes_and_fields_are_no_way_out(word: str) -> None:
    said = {"message": "m", "code": word, "type": word, "param": word}
    error = read_refusal(400, msgspec.json.encode({"error": said}))
    assert error is not None
    assert (error.code, error.param) == ("upstream_refused", None)


def test_errors_that_come_with_status_200() -> None:
    assert is_error_body(b'{"error": {"message": "x"}}')
    assert not is_error_body(b'{"id": "resp", "error": null, "output": []}')
    assert not is_error_body(b'{"choices": []}')


def test_errors_nested_too_deep_are_none() -> None:
    assert read_refusal(400, b'{"error": ' + b"[" * 30_000 + b"]" * 30_000 + b"}") is None


def test_one_of_another_format_names_the_clients_fields_only() -> None:
    told = GatewayError(400, "invalid_request", "bad", "No key sk-ant-api03-abcdefghijklmnopqrstuvwxyz.", param="top_k")
    error = clean_refusal(told, {"top_k": 1})
    assert error is not None
    assert (error.status, error.code, error.param) == (400, "bad", "top_k")
    assert "sk-ant" not in error.message
    other = clean_refusal(told, {"top_p": 1})
    assert other is not None
    assert other.param is None
    assert clean_refusal(GatewayError(400, "invalid_request", "<b>", ""), {}) is None
