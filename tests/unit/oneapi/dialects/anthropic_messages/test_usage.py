import pytest

from oneapi.dialects.anthropic_messages.usage import buckets


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"input_tokens": 3, "output_tokens": 2}, {"input": 3, "output": 2}),
        (
            {
                "input_tokens": 3,
                "cache_read_input_tokens": 40,
                "cache_creation_input_tokens": 30,
                "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
                "output_tokens": 9,
                "output_tokens_details": {"thinking_tokens": 4},
                "server_tool_use": {"web_search_requests": 2},
            },
            {
                "input": 3,
                "cached_input": 40,
                "cache_write_5m": 10,
                "cache_write_1h": 20,
                "output": 5,
                "reasoning": 4,
                "search": 2,
            },
        ),
        ({"input_tokens": 1, "cache_creation_input_tokens": 7}, {"input": 1, "cache_write_5m": 7}),
    ],
)
def test_buckets(told: dict[str, object], expected: dict[str, int]) -> None:
    assert buckets(told) == expected
