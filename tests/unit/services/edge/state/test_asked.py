"""What a request says of state."""

from typing import Any

import pytest

from oneapi.dialects.errors import GatewayError
from services.edge.state.asked import Asked, read


@pytest.mark.parametrize(
    ("raw", "asked"),
    [
        ({}, Asked(True, "", "", [])),
        ({"store": None, "background": False, "conversation": None}, Asked(True, "", "", [])),
        ({"store": False, "previous_response_id": "resp_1"}, Asked(False, "resp_1", "", [])),
        ({"conversation": "conv_1"}, Asked(True, "", "conv_1", [])),
        ({"conversation": {"id": "conv_1"}}, Asked(True, "", "conv_1", [])),
        ({"input": [{"type": "item_reference", "id": "a"}, {"id": "b"}] * 2}, Asked(True, "", "", ["a"])),
    ],
)
def test_what_is_asked(raw: dict[str, Any], asked: Asked) -> None:
    assert read(raw) == asked
    assert asked.plain == (not (asked.previous or asked.conversation or asked.references))


@pytest.mark.parametrize(
    "raw",
    [
        {"store": 1},
        {"background": True},
        {"background": "yes"},
        {"conversation": {}},
        {"conversation": ["conv_1"]},
        {"previous_response_id": {"id": "resp_1"}},
        {"previous_response_id": "resp_1", "conversation": "conv_1"},
        {"input": [{"type": "item_reference", "id": "a.b"}]},
    ],
)
def test_what_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(GatewayError) as refused:
        read(raw)
    assert refused.value.status == 400
