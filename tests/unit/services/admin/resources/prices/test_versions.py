from typing import Any

import pytest

from services.admin.resources.prices.versions import TooEarly, begin_ms, repeated
from services.admin.store.schema import PriceVersion


def columns(rate: int) -> dict[str, Any]:
    return {"rates": {"input": rate}, "tiers": [], "windows": []}


def version(rate: int, effective_from_ms: int, revision: int = 1) -> PriceVersion:
    return PriceVersion(
        id="v", model="m", channel_id="", effective_from_ms=effective_from_ms, created_by="x", created_at_ms=0,
        revision=revision, **columns(rate),
    )  # fmt: skip


def test_a_version_begins_now_or_when_it_is_asked_to() -> None:
    assert begin_ms([], None, 100) == 100
    assert begin_ms([], 5, 100) == 5
    assert begin_ms([version(1, 50)], None, 100) == 100
    assert begin_ms([version(1, 100)], None, 100) == 101
    assert begin_ms([version(1, 50)], 60, 100) == 60
    assert begin_ms([version(1, 50), version(1, 900)], 900, 100) == 900


@pytest.mark.parametrize("asked", [49, 50, 0])
def test_a_price_in_force_is_not_edited(asked: int) -> None:
    with pytest.raises(TooEarly) as refused:
        begin_ms([version(1, 50)], asked, 100)
    assert refused.value.in_force_from_ms == 50


def test_the_same_again_is_nothing_new() -> None:
    now = [version(1, 50), version(2, 900)]
    assert repeated(now, columns(1), None, 100)
    assert not repeated(now, columns(2), None, 100)
    assert repeated(now, columns(2), 900, 100)
    assert not repeated(now, columns(3), 900, 100)
    assert not repeated(now, columns(2), 800, 100)
    assert not repeated([version(2, 900)], columns(2), None, 100)
    assert not repeated([], columns(1), None, 100)
