import pytest

from oneapi.stack.machine import last_line, mirror_in

DEB822 = """Types: deb
# http://snapshot.example/archive/debian/20250520T000000Z
URIs: http://mirror.example/debian
Suites: bookworm
"""


@pytest.mark.parametrize(
    ("text", "mirror"),
    [
        (DEB822, "http://mirror.example/debian"),
        ("deb [signed-by=/k.gpg] https://mirror.example/debian/ bookworm main\n", "https://mirror.example/debian"),
        ("URIs: http://mirror.example/debian-security\n", None),
        ("deb https://other.example/apt stable main\n", None),
        ("# deb http://mirror.example/debian bookworm main\n", None),
    ],
)
def test_the_mirror_is_read_in_both_formats(text: str, mirror: str | None) -> None:
    assert mirror_in(text) == mirror


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Reading…\nE: Unable to locate package x\nW: more\n", "Unable to locate package x"),
        ("one\n\n two \n", "two"),
        ("", "it said nothing"),
    ],
)
def test_the_error_is_what_is_quoted(text: str, line: str) -> None:
    assert last_line(text) == line
