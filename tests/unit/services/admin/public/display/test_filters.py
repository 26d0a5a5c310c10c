from decimal import Decimal
from typing import Any

import pytest

from oneapi.catalog.public.view import PublicAbilities, PublicPrice, PublicRates
from services.admin.public.display.filters import KINDS, Filters, is_a, wanted
from tests.unit.services.admin.public.views import offer

KNOWN = PublicAbilities(
    features=("reasoning", "tools"),
    reasoning_efforts=("low", "high"),
    input_modalities=("text", "image"),
    output_modalities=("text",),
)
FOUND = offer(known=KNOWN)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, True),
        ({"keyword": "M"}, True),
        ({"keyword": "ain"}, True),
        ({"keyword": "z"}, False),
        ({"channel_types": ("anthropic", "openai")}, True),
        ({"channel_types": ("1",)}, True),
        ({"channel_types": ("14",)}, False),
        ({"reasoning_efforts": ("high", "max")}, True),
        ({"reasoning_efforts": ("max",)}, False),
        ({"features": ("tools", "reasoning")}, True),
        ({"features": ("tools", "web_search")}, False),
        ({"input_modalities": ("image",)}, True),
        ({"output_modalities": ("image",)}, False),
        ({"min_context_length": 0}, True),
        ({"min_context_length": 1}, False),
        ({"max_input_price": Decimal(2)}, True),
        ({"max_input_price": Decimal("1.99")}, False),
        ({"has": (("tools", True), ("image", True), ("audio", False))}, True),
        ({"has": (("tools", False),)}, False),
        ({"has": (("structured_outputs", True),)}, False),
    ],
    ids=str,
)
def test_conditions(filters: dict[str, Any], found: bool) -> None:
    assert wanted(FOUND, Filters(**filters)) is found


def test_a_model_without_a_price_is_not_cheap() -> None:
    assert not wanted(offer(price=None), Filters(max_input_price=Decimal(9)))


def test_kinds() -> None:
    embedding = offer(known=PublicAbilities(output_modalities=("embeddings",)))
    assert [kind for kind in KINDS if is_a(embedding, kind)] == ["embedding"]
    rates = PublicRates(per_unit=(("image", "1"),))
    assert is_a(offer(price=PublicPrice(now=rates, base=rates)), "image")
    assert not any(is_a(offer(), kind) for kind in KINDS)
