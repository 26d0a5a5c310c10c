import pytest

from oneapi.dialects.openai_responses.usage import buckets, read_usage


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}, {"input": 3, "output": 2}),
        (
            {
                "input_tokens": 100,
                "input_tokens_details": {
                    "cached_tokens": 40,
                    "cache_write_tokens": 30,
                    "cache_write_tokens_details": {"ttl_30m_tokens": 10, "ttl_12h_tokens": 20},
                },
                "output_tokens": 50,
                "output_tokens_details": {"reasoning_tokens": 45},
                "total_tokens": 150,
            },
            {
                "input": 30,
                "cached_input": 40,
                "cache_write_5m": 10,
                "cache_write_1h": 20,
                "output": 5,
                "reasoning": 45,
            },
        ),
        ({"input_tokens": 3, "input_tokens_details": None, "output_tokens": None}, {"input": 3}),
        ({"input_tokens": 0, "output_tokens": 0}, {}),
    ],
)
def test_buckets(told: dict[str, object], expected: dict[str, int]) -> None:
    assert buckets(told) == expected


def test_whole_answers() -> None:
    assert read_usage(b'{"usage":{"input_tokens":1,"output_tokens":2}}') == {"input": 1, "output": 2}
    assert read_usage(b'{"usage":{"input_tokens":1},"tool_usage":{"web_search":{"num_requests":3}}}') == {
        "input": 1,
        "search": 3,
    }
    for without in (b"{}", b'{"usage":null}', b'{"usage":7}', b'{"usage":{"input_tokens":0}}', b"<html>", b"\xff"):
        assert read_usage(without) is None
