"""Buckets of providers that count one thing inside another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.dialects.usage import count, counted, first_count, inclusive, part

counts = st.integers(0, 50)
INPUTS = ("cached_input", "cache_write_5m", "audio_input", "image_input")
OUTPUTS = ("reasoning", "audio_output")
INPUT_BUCKETS = {"input", *INPUTS}


@given(counts, counts, st.tuples(*[counts] * 4), st.tuples(*[counts] * 2))
def test_what_is_told_consistently_adds_up(
    text: int, words: int, inside: tuple[int, ...], outside: tuple[int, ...]
) -> None:
    prompt, completion = text + sum(inside), words + sum(outside)
    found = inclusive(
        prompt,
        completion,
        prompt + completion,
        in_given=dict(zip(INPUTS, inside, strict=True)),
        in_made=dict(zip(OUTPUTS, outside, strict=True)),
    )
    told = {"input": text, **dict(zip(INPUTS, inside, strict=True))}
    told |= {"output": words, **dict(zip(OUTPUTS, outside, strict=True))}
    assert found == {bucket: value for bucket, value in told.items() if value}


@given(counts, counts, st.integers(0, 200), st.tuples(*[counts] * 4), st.tuples(*[counts] * 2))
def test_nothing_is_negative_or_more_than_was_told(
    prompt: int, completion: int, total: int, inside: tuple[int, ...], outside: tuple[int, ...]
) -> None:
    found = inclusive(
        prompt,
        completion,
        total,
        in_given=dict(zip(INPUTS, inside, strict=True)),
        in_made=dict(zip(OUTPUTS, outside, strict=True)),
    )
    assert all(value > 0 for value in found.values())
    given_all = sum(value for bucket, value in found.items() if bucket in INPUT_BUCKETS)
    made_all = sum(found.values()) - given_all
    assert prompt <= given_all <= prompt + inside[0] + inside[1]
    assert completion <= made_all <= max(completion + sum(outside), total)
    if prompt and total == prompt + completion and max(inside[:2]) <= prompt:
        assert given_all + made_all == total


@pytest.mark.parametrize(
    ("given", "made", "total", "in_given", "in_made", "expected"),
    [
        # xAI's grand total has the reasoning on top
        (12, 2, 354, {}, {"reasoning": 340}, {"input": 12, "output": 2, "reasoning": 340}),
        (12, 500, 852, {}, {"reasoning": 340}, {"input": 12, "output": 500, "reasoning": 340}),
        (12, 0, 0, {}, {"reasoning": 340}, {"input": 12, "reasoning": 340}),
        # the grand total says that the completion is all: more reasoning than that can't be
        (10, 5, 15, {}, {"reasoning": 8}, {"input": 10, "reasoning": 5}),
        # output that only the grand total shows
        (10, 5, 115, {}, {}, {"input": 10, "output": 5, "reasoning": 100}),
        (10, 0, 110, {}, {}, {"input": 10, "reasoning": 100}),
        # the cache beside the prompt: by its size, by the grand total, together with reasoning
        (4, 1, 5, {"cached_input": 2455}, {}, {"input": 4, "cached_input": 2455, "output": 1}),
        (90, 1, 131, {"cached_input": 40}, {}, {"input": 90, "cached_input": 40, "output": 1}),
        (
            90,
            1,
            138,
            {"cached_input": 40},
            {"reasoning": 7},
            {"input": 90, "cached_input": 40, "output": 1, "reasoning": 7},
        ),
        # cached sound is counted as both: the cache comes first
        (99, 1, 100, {"cached_input": 90, "audio_input": 80}, {}, {"cached_input": 90, "audio_input": 9, "output": 1}),
        # writes are "unadjusted"
        (
            99,
            1,
            100,
            {"cached_input": 60, "cache_write_5m": 60},
            {},
            {"cached_input": 60, "cache_write_5m": 39, "output": 1},
        ),
    ],
)
def test_vendors_and_contradictions(
    given: int, made: int, total: int, in_given: dict[str, int], in_made: dict[str, int], expected: dict[str, int]
) -> None:
    assert inclusive(given, made, total, in_given=in_given, in_made=in_made) == expected


@pytest.mark.parametrize("value", [None, True, -1, "7", [], float("nan"), float("inf"), 2**60])
def test_what_is_no_count_is_none(value: object) -> None:
    assert count({"a": value}, "a") == 0
    assert first_count({"a": value, "b": 3}, "a", "b", "c") == 3
    assert first_count({"a": value}, "a") == 0
    assert part({"a": value}, "a") == {}


def test_an_estimate_takes_four_bytes_for_a_token() -> None:
    assert counted(9, 0) == {"input": 3}
    assert counted(8, 5) == {"input": 2, "output": 2}
