"""The sums go to Redis with the last part of what they contain."""

from typing import Any, cast

from services.billing import books
from services.billing.books import Books
from services.billing.hours import Marks
from services.billing.sums import AccountSums
from services.billing.term import Term


class PlayedLease:
    held = True
    generation = 3


class PlayedMoney:
    """Remembers what it was told; everything succeeds."""

    def __init__(self) -> None:
        self.posts: list[tuple[int | None, dict[str, int], int | None, int]] = []

    async def post(self, _account: str, _fence: int, posted: int | None, **told: Any) -> int:
        self.posts.append((posted, dict(told["scopes"]), told["credits"], len(told["request_ids"])))
        return len(told["request_ids"])


async def posts(count: int) -> list[tuple[int | None, dict[str, int], int | None, int]]:
    money = PlayedMoney()
    made = Books(cast(Any, None), cast(Any, None), cast(Any, None), cast(Any, money), Term(PlayedLease(), 3, Marks()))
    assert await made.post("acc_1", AccountSums(70, 100, {"s": 7}), [str(number) for number in range(count)])
    return money.posts


async def test_one_call_sets_the_sums_and_closes_what_is_in_them() -> None:
    assert await posts(0) == [(70, {"s": 7}, 100, 0)]
    assert await posts(books._CLOSE_AT_ONCE) == [(70, {"s": 7}, 100, books._CLOSE_AT_ONCE)]


async def test_of_many_requests_the_last_part_comes_with_the_sums() -> None:
    """Otherwise those that are not closed yet would count twice meanwhile, and clients be refused."""
    most = books._CLOSE_AT_ONCE
    assert await posts(2 * most + 1) == [(None, {}, None, most), (None, {}, None, most), (70, {"s": 7}, 100, 1)]
