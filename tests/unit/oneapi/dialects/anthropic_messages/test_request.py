import json

import pytest

from oneapi.dialects.anthropic_messages.request import inspect, prepare
from oneapi.dialects.errors import GatewayError

MESSAGES = [{"role": "user", "content": "hi"}]


def body(**more: object) -> bytes:
    return json.dumps({"model": "m", "messages": MESSAGES, **more}).encode()


def test_the_cap_is_required() -> None:
    with pytest.raises(GatewayError) as refused:
        inspect(body())
    assert (refused.value.status, refused.value.param) == (400, "max_tokens")
    assert inspect(body(max_tokens=0)).max_output == 0


@pytest.mark.parametrize(("asked", "cap", "sent"), [(5, None, 5), (5, 7, 5), (50, 7, 7)])
def test_the_cap_is_lowered_and_never_raised(asked: int, cap: int | None, sent: int) -> None:
    raw = body(max_tokens=asked)
    assert json.loads(prepare(raw, inspect(raw), "m", max_output=cap))["max_tokens"] == sent


def test_usage_is_never_asked_for() -> None:
    raw = body(max_tokens=5, stream=True, tools=[{"name": "f"}])
    facts = inspect(raw)
    assert (facts.stream, facts.wants_usage, facts.messages, facts.tools) == (True, True, 1, 1)
    assert prepare(raw, facts, "m", include_usage=True) is raw
