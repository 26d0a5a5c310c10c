import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.admin.web.negotiation import choose

HTML, MARKDOWN = "text/html; charset=utf-8", "text/markdown; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "found"),
    [
        ("", 0),
        ("*/*", 0),
        ("text/*", 0),
        ("text/html", 0),
        ("text/markdown", 1),
        ("TEXT/MARKDOWN", 1),
        ("text/markdown;charset=utf-8", 1),
        ("text/html;q=0.5, text/markdown", 1),
        ("text/markdown;q=0.1, text/html", 0),
        ("text/markdown;q=0, */*", 0),
        ("text/html;q=0, */*", 1),
        ("text/html, text/markdown", 0),
        ("text/*;q=0.3, text/markdown;q=0.4", 1),
        ("application/json", None),
        ("text/html;q=0, text/markdown;q=0", None),
        ("text/html;q=nonsense, text/markdown;q=0.1", 1),
        ("application/xhtml+xml,text/html;q=0.9,*/*;q=0.8", 0),
    ],
)
def test_which_form_is_ranked_highest(accept: str, found: int | None) -> None:
    assert choose(accept, [HTML, MARKDOWN]) == found


@given(st.text(max_size=300))
def test_anything_is_understood_somehow(accept: str) -> None:
    assert choose(accept, [HTML, MARKDOWN]) in {0, 1, None}
