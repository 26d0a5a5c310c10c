import json
from typing import Any

import pytest

from oneapi.dialects.errors import GatewayError
from services.edge.sandbox import playing, question

TURNS = [{"role": "user", "content": "hi"}]
ASKED: dict[str, dict[str, Any]] = {
    "openai_chat": {"messages": TURNS},
    "openai_responses": {"input": "hi"},
    "anthropic_messages": {"messages": TURNS, "max_tokens": 50},
}
ENDS = {"openai_chat": b"[DONE]", "openai_responses": b"response.completed", "anthropic_messages": b"message_stop"}


def asked(dialect: str, scenario: str = "", *, stream: bool = False) -> question.Question:
    more = {"metadata": {"sandbox": scenario}} if scenario else {}
    return question.read(dialect, json.dumps({"model": "m", "stream": stream, **ASKED[dialect], **more}).encode())


def played(dialect: str, scenario: str = "", *, stream: bool = True) -> list[bytes]:
    return playing.pieces(dialect, asked(dialect, scenario, stream=stream))


@pytest.mark.parametrize("dialect", ASKED)
@pytest.mark.parametrize("scenario", ["", "slow", "tool_call", "refusal", "length", "mid_stream_error"])
def test_a_stream_is_the_same_each_time_piece_by_piece(dialect: str, scenario: str) -> None:
    pieces = played(dialect, scenario)
    assert pieces == played(dialect, scenario)
    assert len(pieces) > 4
    assert all(pieces)


@pytest.mark.parametrize("dialect", ASKED)
@pytest.mark.parametrize("scenario", ["rate_limit", "overloaded", "server_error"])
@pytest.mark.parametrize("stream", [False, True])
def test_errors_come_instead_of_an_answer(dialect: str, scenario: str, stream: bool) -> None:
    with pytest.raises(GatewayError):
        played(dialect, scenario, stream=stream)


@pytest.mark.parametrize("dialect", ASKED)
def test_a_stream_breaks_after_it_has_said_something(dialect: str) -> None:
    whole = b"".join(played(dialect, "mid_stream_error"))
    assert b"This" in whole
    assert b'"error"' in whole
    assert ENDS[dialect] not in whole
    with pytest.raises(GatewayError) as refused:
        played(dialect, "mid_stream_error", stream=False)
    assert refused.value.status == 502


@pytest.mark.parametrize("dialect", ASKED)
def test_an_answer_is_one_piece_when_it_is_not_streamed(dialect: str) -> None:
    (body,) = played(dialect, stream=False)
    assert b"You said: hi" in body
    assert ENDS[dialect] in b"".join(played(dialect))
