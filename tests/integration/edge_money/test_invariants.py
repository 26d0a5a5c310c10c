"""Random histories of one account, with repeats: at every instant the sums are what they must be, within the limits."""

import random

import pytest

from oneapi.catalog.types import Budget
from oneapi.runtime.redis_functions import Counters, MoneyFunctions
from services.edge.money import reserve_call
from services.edge.money.claim import Claim
from services.edge.money.redis_link import RedisLink
from services.edge.money.reserve_call import Granted, Refused, ReserveCalls
from tests.integration.edge_money.accounts import claim, open_account, relay_key

CREDIT, BUDGET = 2_000, 900


class Books:
    """What should be in Redis: reservations, and what was settled and posted of them."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[Claim, int, bool]] = {}
        self.settled: dict[str, tuple[Claim, int, bool]] = {}
        self.ledger: dict[str, tuple[int, bool]] = {}

    def counters(self, *, budget: bool) -> Counters:
        def total(rows: list[tuple[int, bool]]) -> int:
            return sum(amount for amount, limited in rows if limited or not budget)

        return Counters(
            total(list(self.ledger.values())),
            total([row[1:] for row in self.settled.values()]),
            total([row[1:] for row in self.held.values()]),
        )


@pytest.mark.parametrize("seed", range(6))
async def test_no_history_breaks_the_sums(redis_url: str, functions: MoneyFunctions, seed: int) -> None:
    draw = random.Random(seed)
    account = await open_account(functions, credit=CREDIT)
    keys = [relay_key(account, Budget(amount_nano=BUDGET)), relay_key(account)]
    scope = f"key:{keys[0].id}:total"
    link, calls, books = RedisLink(redis_url), ReserveCalls("edge", lambda: 1_795_608_000_000), Books()
    used: list[Claim] = []
    for _ in range(400):
        step = draw.randrange(6)
        if step <= 1 or not books.held:
            repeats = [one for one in used if one.request_id not in books.ledger]
            again = draw.random() < 0.2 and repeats
            wanted = draw.choice(repeats) if again else claim(account, draw.choice(keys), draw.randrange(300))
            rid, limited = wanted.request_id, wanted.key is keys[0]
            known = rid in books.held or rid in books.settled
            whole, part = (sum(vars_of(books.counters(budget=budget))) for budget in (False, True))
            answer = reserve_call.answer(await link.call(calls.reserve(wanted, 0)))
            amount = wanted.reserve_nano
            fits = whole + amount <= CREDIT and whole < CREDIT and (not limited or part + amount <= BUDGET)
            assert isinstance(answer, Granted if known or fits else Refused), answer
            if fits and not known:
                used.append(wanted)
                books.held[rid] = (wanted, amount, limited)
        elif step <= 3:
            wanted = draw.choice(used)
            held = books.held.pop(wanted.request_id, None)
            actual = draw.randrange(held[1] + 1) if held else 0
            command = reserve_call.settle(account.id, wanted.key.id, wanted.request_id, actual, 0)
            assert await link.call(command) == (1 if held else 0)
            if held:
                books.settled[wanted.request_id] = (wanted, actual, held[2])
        else:
            # Billing books some of what was settled, and sometimes a final whose settling never came.
            for rows in (books.settled, books.held) if draw.random() < 0.5 else (books.settled,):
                for rid in draw.sample(sorted(rows), draw.randrange(len(rows) + 1)):
                    _, amount, limited = rows.pop(rid)
                    books.ledger[rid] = (draw.randrange(amount + 1) if rows is books.held else amount, limited)
            posted, in_scope = books.counters(budget=False).posted, books.counters(budget=True).posted
            for _ in range(draw.randrange(1, 3)):
                rids = list(books.ledger)
                await functions.post(account.id, 1, posted, scopes={scope: in_scope}, request_ids=rids)
        state = await functions.balances(account.id, [scope])
        assert state.account == books.counters(budget=False)
        assert state.scopes[scope] == books.counters(budget=True)
        assert sum(vars_of(state.account)) <= CREDIT
        assert sum(vars_of(state.scopes[scope])) <= BUDGET
    await link.close()


def vars_of(counters: Counters) -> tuple[int, int, int]:
    return counters.posted, counters.unposted, counters.reserved
