"""A page of a list of items, as OpenAI's API gives it.

It decides order, limit and cursor, and must not know whose items they are.
"""

from collections.abc import Mapping
from typing import Any

from services.edge import refusals

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


def page(items: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """The page that is asked for of items that stand in their order. Raises GatewayError 400."""
    order = query.get("order", "desc")
    if order not in {"asc", "desc"}:
        raise refusals.bad_order()
    limit_text = query.get("limit", str(DEFAULT_LIMIT))
    if not (limit_text.isascii() and limit_text.isdigit() and 1 <= int(limit_text[:9]) <= MAX_LIMIT):
        raise refusals.bad_page(MAX_LIMIT)
    limit = int(limit_text)
    rows = items if order == "asc" else items[::-1]
    after = query.get("after")
    if after:
        place = next((number for number, row in enumerate(rows, 1) if row.get("id") == after), None)
        if place is None:
            raise refusals.bad_cursor()
        rows = rows[place:]
    shown = rows[:limit]
    return listing(shown, has_more=len(rows) > limit)


def listing(rows: list[dict[str, Any]], *, has_more: bool = False) -> dict[str, Any]:
    """Rows as a list."""
    ids = [str(row.get("id", "")) for row in rows]
    return {
        "object": "list",
        "data": rows,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "has_more": has_more,
    }
