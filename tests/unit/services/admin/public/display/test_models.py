import json
from typing import Any

from oneapi.catalog.public.view import PublicAbilities, PublicPrice, PublicRates, PublicTier, PublicWindow
from services.admin.public.display.filters import Filters
from services.admin.public.display.models import models_display
from services.admin.public.site import Public
from tests.unit.services.admin.public.views import offer, public


def shown(given: Public, group: str | None = None, **filters: Any) -> dict[str, Any]:
    answer = json.loads(models_display(given, group, Filters(**filters)))
    assert (answer["success"], answer["message"]) == (True, "")
    data: dict[str, Any] = answer["data"]
    return data


def test_models_stand_below_their_channels() -> None:
    found = shown(public(offer(), offer(channel="other", provider="sandbox"), offer(model="n")))
    assert list(found) == ["openai:main", "sandbox:other"]
    assert found["openai:main"]["channel_name"] == "main"
    assert (found["openai:main"]["channel_type"], found["sandbox:other"]["channel_type"]) == (1, 0)
    assert found["openai:main"]["models"]["m"] == {
        "input_price": 2, "cached_input_price": 2, "output_price": 8, "max_tokens": 0, "endpoints": ["chat"],
        "prices": {"input": 2, "output": 8},
    }  # fmt: skip
    assert list(found["openai:main"]["models"]) == ["m", "n"]


def test_a_model_without_a_price_has_null() -> None:
    model = shown(public(offer(price=None)))["openai:main"]["models"]["m"]
    assert model == {
        "input_price": None, "cached_input_price": None, "output_price": None, "max_tokens": 0, "endpoints": ["chat"],
    }  # fmt: skip


def test_prices_are_exact() -> None:
    rates = PublicRates(per_million=(("input", "0.000001"), ("cached_input", "0.1")), per_unit=(("image", "12.5"),))
    text = models_display(public(offer(price=PublicPrice(now=rates, base=rates))))
    assert '"input_price":0.000001,"cached_input_price":0.1,"output_price":0,' in text
    assert '"image_price":12.5' in text


def test_tiers_and_windows() -> None:
    rates = PublicRates(per_million=(("input", "2"), ("output", "8")))
    window = PublicWindow(
        timezone="UTC", days=(0,), start="01:00", end="02:00", rates=PublicRates(per_million=(("output", "1"),)),
        open=True,
    )  # fmt: skip
    tier = PublicTier(above_input_tokens=5, rates=PublicRates(per_million=(("input", "4"),)))
    price = PublicPrice(now=rates, base=rates, tiers=(tier,), windows=(window,))
    model = shown(public(offer(price=price)))["openai:main"]["models"]["m"]
    assert model["tiers"] == [
        {
            "input_token_threshold": 5, "input_price": 4, "cached_input_price": 4, "output_price": 8,
            "prices": {"input": 4, "output": 8},
        }
    ]  # fmt: skip
    hours = {"timezone": "UTC", "days": [0], "from": "01:00", "to": "02:00", "prices": {"output": 1}}
    assert (model["time_windows"], model["active_time_window"]) == ([hours], hours)


def test_what_is_known_is_shown() -> None:
    known = PublicAbilities(features=("tools",), reasoning_efforts=("low",), input_modalities=("text",))
    model = shown(public(offer(known=known, max_output_tokens=100)))["openai:main"]["models"]["m"]
    assert model["supported_features"] == ["tools"]
    assert model["supported_reasoning_efforts"] == ["low"]
    assert model["input_modalities"] == ["text"]
    assert (model["max_tokens"], model["max_output_tokens"]) == (100, 100)
    assert "output_modalities" not in model


def test_a_group_sees_its_own() -> None:
    given = public(offer(groups=("gold",)), offer(channel="all", groups=("*",)))
    assert list(shown(given)) == ["openai:main", "openai:all"]
    assert list(shown(given, "gold")) == ["openai:main", "openai:all"]
    assert list(shown(given, "default")) == ["openai:all"]


def test_filters_leave_out_models_and_empty_channels() -> None:
    assert shown(public(offer(), offer(channel="other", model="n")), keyword="N").keys() == {
        "openai:main",
        "openai:other",
    }
    assert shown(public(offer(), offer(channel="other", model="n")), keyword="OTHER").keys() == {"openai:other"}
