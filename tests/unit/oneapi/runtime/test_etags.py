import pytest

from oneapi.runtime.etags import has, tag_of


def test_equal_bytes_have_equal_tags() -> None:
    assert tag_of(b"a") == tag_of(b"a") != tag_of(b"b")
    assert tag_of(b"a").startswith(b'"')
    assert tag_of(b"a").endswith(b'"')


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, False),
        (b"", False),
        (b'"t"', True),
        (b'W/"t"', True),
        (b'"other" , W/"t"', True),
        (b"*", True),
        (b'"other"', False),
        (b'*, "other"', False),
        (b"t", False),
    ],
)
def test_which_readers_have_it(given: bytes | None, found: bool) -> None:
    assert has(given, b'"t"') is found
