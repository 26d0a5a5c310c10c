import pytest

from oneapi.runtime.egress.headers import header_lines


def test_lines() -> None:
    assert header_lines([("X-A", "b c"), ("x-u", "\u00fc")]) == "X-A: b c\r\nx-u: \u00fc\r\n".encode()


@pytest.mark.parametrize(
    ("name", "value"), [("a\r\nb", "x"), ("a b", "x"), ("a:", "x"), ("", "x"), ("a", "x\r\ny"), ("a", "\0"), ("ä", "x")]
)
def test_headers_that_would_be_something_else(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="can't be sent"):
        header_lines([(name, value)])
