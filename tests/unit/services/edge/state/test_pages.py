"""Pages of lists of items."""

from typing import Any

import pytest

from oneapi.dialects.errors import GatewayError
from services.edge.state.pages import listing, page

ROWS: list[dict[str, Any]] = [{"id": f"msg_{number}"} for number in range(5)]


def ids(query: dict[str, str]) -> list[str]:
    return [row["id"][4:] for row in page(ROWS, query)["data"]]


def test_order_limit_and_cursor() -> None:
    assert ids({}) == ["4", "3", "2", "1", "0"]
    assert ids({"order": "asc", "limit": "2"}) == ["0", "1"]
    assert ids({"order": "asc", "after": "msg_1", "limit": "2"}) == ["2", "3"]
    assert ids({"after": "msg_1"}) == ["0"]
    assert page(ROWS, {"after": "msg_0"}) == listing([])
    first = page(ROWS, {"limit": "2"})
    assert (first["object"], first["first_id"], first["last_id"], first["has_more"]) == ("list", "msg_4", "msg_3", True)
    assert page(ROWS, {"limit": "5"})["has_more"] is False


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"order": "up"}, "order"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "1" * 5_000}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"after": "msg_9"}, "after"),
    ],
)
def test_what_is_no_page(query: dict[str, str], param: str) -> None:
    with pytest.raises(GatewayError) as refused:
        page(ROWS, query)
    assert (refused.value.status, refused.value.param) == (400, param)
