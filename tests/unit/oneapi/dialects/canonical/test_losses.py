"""What is left out of a request, and what is refused."""

import pytest

from oneapi.dialects.canonical.losses import IGNORED, LOSSES, MAX_TOLD, REFUSED, Loss, Losses, told
from oneapi.dialects.canonical.parts import Opaque
from oneapi.dialects.errors import GatewayError


def test_every_name_has_one_verdict() -> None:
    assert not LOSSES.keys() & REFUSED.keys()
    assert not IGNORED & (LOSSES.keys() | REFUSED.keys())
    assert all(text.endswith(".") for text in (*LOSSES.values(), *REFUSED.values()))


def test_settings() -> None:
    losses = Losses()
    losses.settings({"seed": 1, "store": True, "frequency_penalty": 0.0, "new": 1, "user": None, "stream": True})
    losses.settings({"seed": 2}, ["reasoning_mode"])
    assert [str(loss) for loss in losses.found] == ["seed", "unknown_field(new)", "reasoning_mode"]
    for name in REFUSED:
        with pytest.raises(GatewayError, match=name):
            losses.settings({name: {"any": "thing"}})


def test_unknown_names_are_a_mistake() -> None:
    with pytest.raises(KeyError):
        Losses().add("something_else")


def test_opaque_parts() -> None:
    losses = Losses()
    losses.opaque(Opaque(dialect="d", kind="web_search_call"))
    losses.opaque(Opaque(dialect="d", kind="header", silent=True))
    assert [str(loss) for loss in losses.found] == ["server_tool_history(web_search_call)"]
    with pytest.raises(GatewayError):
        losses.opaque(Opaque(dialect="d", kind="item_reference", needed=True))


def test_details_are_told_where_they_are_short_and_plain() -> None:
    found = [Loss("seed"), Loss("effort", "max:high"), Loss("unknown_field", "a b"), Loss("unknown_field", "c" * 65)]
    assert told(found) == ["seed", "effort(max:high)", "unknown_field"]
    assert len(told(Loss("unknown_field", f"f{i}") for i in range(100))) == MAX_TOLD
