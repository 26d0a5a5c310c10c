import pytest

from oneapi.dialects.openai_embeddings.usage import read_usage


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"usage":{"prompt_tokens":5,"total_tokens":5}}', {"input": 5}),
        (b'{"usage":{"total_tokens":9}}', {"input": 9}),
        (b'{"usage":{"prompt_tokens":0,"total_tokens":0}}', None),
        (b'{"usage":[1]}', None),
        (b"{}", None),
        (b"no", None),
        (b"\xff", None),
    ],
)
def test_whole_answers(body: bytes, expected: dict[str, int] | None) -> None:
    assert read_usage(body) == expected
