import pytest

from oneapi.dialects.openai_chat.usage import buckets, read_usage


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5}, {"input": 10, "output": 5}),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 10},
                "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 5},
            },
            {"input": 30, "cached_input": 60, "audio_input": 10, "output": 15, "reasoning": 30, "audio_output": 5},
        ),
        # DeepSeek
        (
            {"prompt_tokens": 20, "completion_tokens": 1, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 12},
            {"input": 12, "cached_input": 8, "output": 1},
        ),
        # xAI counts reasoning beside the completion
        (
            {
                "prompt_tokens": 12,
                "completion_tokens": 2,
                "total_tokens": 354,
                "completion_tokens_details": {"reasoning_tokens": 340},
            },
            {"input": 12, "output": 2, "reasoning": 340},
        ),
        # more cached than there was prompt: it was counted outside
        (
            {"prompt_tokens": 4, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 2455}},
            {"input": 4, "cached_input": 2455, "output": 1},
        ),
        ({"prompt_tokens": -5, "completion_tokens": "7", "total_tokens": True}, {}),
        ({"prompt_tokens": 3, "prompt_tokens_details": None}, {"input": 3}),
    ],
)
def test_buckets(told: dict[str, object], expected: dict[str, int]) -> None:
    assert buckets(told) == expected


def test_whole_answers() -> None:
    assert read_usage(b'{"usage":{"prompt_tokens":1,"completion_tokens":2}}') == {"input": 1, "output": 2}
    assert read_usage(b'{"x_groq":{"usage":{"prompt_tokens":1}}}') == {"input": 1}
    assert read_usage(b"{}") is None
    assert read_usage(b'{"usage":null}') is None
    assert read_usage(b"<html>") is None
