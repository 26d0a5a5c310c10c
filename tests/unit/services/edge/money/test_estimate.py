from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.dialects.attachments import PICTURE_TOKENS, REFERENCED_TOKENS
from oneapi.pricing import charge
from services.edge.money.estimate import AUDIO_TOKENS, IMAGE_TOKENS, MESSAGE_TOKENS, TOOL_TOKENS, estimate, media


class Facts(msgspec.Struct):
    prompt_bytes: int = 0
    messages: int = 0
    tools: int = 0
    choices: int = 1
    max_output: int | None = None
    raw: dict[str, Any] = {}


def reserve(rates: dict[str, int] | None, cap: int = 1_000, **facts: Any) -> int:
    return estimate(Facts(**facts), rates, cap).reserve_nano


def test_a_price_of_calls_alone_reserves_exactly_that() -> None:
    rates = {"per_call": 5_000_000}
    assert reserve(rates, prompt_bytes=123, messages=4, tools=2, max_output=77) == 5_000


def test_every_part_counts_once() -> None:
    rates = {"input": 1_000, "output": 3_000, "per_call": 7_000}
    found = reserve(rates, prompt_bytes=100, messages=2, tools=1, choices=2, max_output=50)
    assert found == 100 + 2 * MESSAGE_TOKENS + TOOL_TOKENS + 2 * 50 * 3 + 7


def test_a_part_of_a_nano_is_a_whole_one() -> None:
    assert reserve({"per_call": 1}) == 1
    assert reserve({"per_call": 1_001}) == 2


def test_without_a_price_nothing_is_reserved() -> None:
    assert reserve(None, prompt_bytes=100) == reserve({}, prompt_bytes=100) == 0


@pytest.mark.parametrize(("asked", "cap", "sent"), [(None, 500, 500), (100, 500, 100), (900, 500, 500), (5, 0, 0)])
def test_the_output_is_what_was_asked_for_but_no_more_than_the_cap(asked: int | None, cap: int, sent: int) -> None:
    assert estimate(Facts(max_output=asked), {"output": 1_000}, cap).reserve_nano == sent


def test_reasoning_and_cached_input_may_be_dearer() -> None:
    rates = {"input": 1_000, "cached_input": 2_000, "output": 1_000, "reasoning": 4_000}
    assert reserve(rates, prompt_bytes=10, max_output=10) == 10 * 2 + 10 * 4


CACHED = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize(
    "raw",
    [
        {"cache_control": {"type": "ephemeral"}},
        {"system": [CACHED]},
        {"tools": [CACHED]},
        {"messages": [{"role": "user", "content": [CACHED]}]},
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": [CACHED]}]}]},
    ],
)
def test_writing_to_a_cache_counts_where_it_is_asked_for(raw: dict[str, Any]) -> None:
    rates = {"input": 1_000, "cache_write_5m": 1_250, "cache_write_1h": 2_000}
    assert reserve(rates, prompt_bytes=100, raw=raw) == 200
    assert reserve(rates, prompt_bytes=100, raw={"system": "x", "messages": [{"content": "y"}]}) == 100


def test_sound_and_pictures_count_where_they_are() -> None:
    raw = {
        "messages": [
            {"role": "user", "content": [{"type": "image_url"}, {"type": "input_audio"}, {"type": "text"}]},
            {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "image"}]}]},
        ]
    }
    assert media(raw) == (2, 1)
    assert media({"input": [{"type": "message", "content": [{"type": "input_image"}]}]}) == (1, 0)
    assert media({"messages": [{"content": [{"type": []}, {"type": {}}, {"type": "image"}]}]}) == (1, 0)
    assert media({"messages": "no", "input": [1, {"content": [2, {"content": [3]}]}]}) == (0, 0)
    rates = {"input": 1_000, "audio_input": 10_000}
    assert reserve(rates, raw=raw) == 2 * IMAGE_TOKENS + 10 * AUDIO_TOKENS


def test_output_of_sound_counts_where_it_is_asked_for() -> None:
    rates = {"output": 1_000, "audio_output": 8_000, "image_output": 9_000}
    assert reserve(rates, max_output=10) == 10
    assert reserve(rates, max_output=10, raw={"modalities": ["text", "audio"]}) == 80
    assert reserve(rates, max_output=10, raw={"modalities": ["text", "image"]}) == 90


def google(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"contents": [{"parts": [{"text": "x"}, *parts]}], **more}


def test_googles_media_cost_what_sound_and_pictures_cost() -> None:
    """Their tokens are among the prompt's; what is dearer than text comes on top."""
    rates = {"input": 1_000, "image_input": 3_000, "audio_input": 8_000}
    picture = {"inlineData": {"mimeType": "image/png", "data": "QQ=="}}
    sound = {"inline_data": {"mime_type": "audio/wav", "data": "QQ=="}}
    inside = {"functionResponse": {"parts": [picture]}}
    assert reserve(rates, raw=google(picture)) == 2 * PICTURE_TOKENS
    assert reserve(rates, raw=google(picture, inside)) == 2 * 2 * PICTURE_TOKENS
    assert reserve(rates, raw=google(sound)) == 7 * REFERENCED_TOKENS
    assert reserve(rates, raw=google({"file_data": {"file_uri": "x"}})) == 7 * REFERENCED_TOKENS
    assert reserve({"input": 1_000}, raw=google(picture, sound)) == 0
    assert reserve(rates, raw={"contents": [1, {"parts": [1, {"inlineData": 1}]}]}) == 0


def test_googles_models_may_draw_unless_they_are_told_otherwise() -> None:
    rates = {"output": 1_000, "audio_output": 8_000, "image_output": 9_000}
    assert reserve(rates, max_output=10, raw=google()) == 90
    for config, cost in ((["TEXT"], 10), (["TEXT", "Audio"], 80), (["IMAGE"], 90), ([], 90)):
        assert reserve(rates, max_output=10, raw=google(generationConfig={"responseModalities": config})) == cost
        assert reserve(rates, max_output=10, raw=google(generation_config={"response_modalities": config})) == cost


def test_tokens_for_the_rate_are_a_guess_that_is_not_too_high() -> None:
    assert estimate(Facts(prompt_bytes=401, max_output=50, choices=2), None, 100_000).tokens == 101 + 100
    assert estimate(Facts(prompt_bytes=400), None, 100_000).tokens == 100 + 1_024
    assert estimate(Facts(prompt_bytes=400), None, 0).tokens == 100


@given(
    st.integers(0, 10_000), st.integers(0, 500), st.integers(1, 3), st.data(),
    st.dictionaries(
        st.sampled_from(["input", "cached_input", "output", "reasoning", "per_call"]), st.integers(0, 10**6)),
)  # fmt: skip
def test_nothing_of_text_can_cost_more_than_was_reserved(
    prompt_bytes: int, max_output: int, choices: int, data: st.DataObject, rates: dict[str, int]
) -> None:
    reserved = reserve(rates, prompt_bytes=prompt_bytes, max_output=max_output, choices=choices)
    cached = data.draw(st.integers(0, prompt_bytes))
    reasoning = data.draw(st.integers(0, max_output * choices))
    usage = {
        "input": prompt_bytes - cached,
        "cached_input": cached,
        "output": max_output * choices - reasoning,
        "reasoning": reasoning,
        "per_call": 1,
    }
    assert charge.total_nano(charge.lines(usage, rates)) <= reserved


def test_an_answer_is_not_shorter_than_it_can_be_kept() -> None:
    for asked, floor, sent in ((1, 16, 16), (1, 0, 1), (40, 16, 40)):
        assert estimate(Facts(max_output=asked), {"output": 1_000}, 100, floor).reserve_nano == sent
