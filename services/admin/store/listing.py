"""Lists in pages: newest first by id, with a cursor that says after which id the next page begins.

Ids sort by the time of their making. This module must not know which rows the caller may see.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

Row = TypeVar("Row")
SEPARATOR = "\n"


class BadCursor(ValueError):
    """A cursor that no list gave out."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and the cursor of the next page, None on the last one."""

    rows: Sequence[Row]
    next_cursor: str | None


def encode_cursor(*parts: str) -> str:
    """An opaque text for the place after a row."""
    return base64.urlsafe_b64encode(SEPARATOR.join(parts).encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str, parts: int) -> tuple[str, ...]:
    """What `encode_cursor` was given. Raises BadCursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(SEPARATOR)
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error
    if len(found) != parts or any("\0" in part for part in found):
        raise BadCursor
    return tuple(found)


async def page(
    session: AsyncSession,
    statement: Select[Row],
    order: InstrumentedAttribute[str],
    *,
    limit: int,
    cursor: str | None,
) -> Page[Row]:
    """The page of `statement` after the cursor, ordered by the column descending. Raises BadCursor."""
    if cursor is not None:
        statement = statement.where(order < decode_cursor(cursor, 1)[0])
    found: Sequence[Any] = (await session.scalars(statement.order_by(order.desc()).limit(limit + 1))).all()
    rows = found[:limit]
    return Page(rows, encode_cursor(getattr(rows[-1], order.key)) if len(found) > limit else None)
