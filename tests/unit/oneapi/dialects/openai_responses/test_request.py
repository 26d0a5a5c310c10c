import json

import pytest

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.openai_responses.request import inspect, prepare


def body(**more: object) -> bytes:
    return json.dumps({"model": "m", **more}).encode()


@pytest.mark.parametrize("more", [{"input": "x"}, {"previous_response_id": "r"}, {"prompt": {"id": "p"}}])
def test_something_must_be_asked(more: dict[str, object]) -> None:
    assert inspect(body(**more)).model == "m"
    with pytest.raises(GatewayError) as refused:
        inspect(body())
    assert (refused.value.status, refused.value.param) == (400, "input")


@pytest.mark.parametrize(("asked", "cap", "sent"), [(None, None, None), (None, 7, 7), (5, 7, 5), (50, 7, 7)])
def test_the_cap_is_set_or_lowered_and_never_raised(asked: int | None, cap: int | None, sent: int | None) -> None:
    raw = body(input="x", **({} if asked is None else {"max_output_tokens": asked}))
    assert json.loads(prepare(raw, inspect(raw), "m", max_output=cap)).get("max_output_tokens") == sent


def test_usage_is_never_asked_for() -> None:
    raw = body(input=[{"role": "user", "content": "x"}], stream=True, tools=[{"type": "web_search"}])
    facts = inspect(raw)
    assert (facts.stream, facts.wants_usage, facts.messages, facts.tools) == (True, True, 1, 1)
    assert prepare(raw, facts, "m", include_usage=True) is raw
