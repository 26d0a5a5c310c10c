"""Calls of the money functions as an edge makes them."""

import time

from services.edge.money import reserve_call
from services.edge.money.claim import Claim
from services.edge.money.redis_link import RedisLink
from services.edge.money.reserve_call import Answer, Granted, Refused, ReserveCalls


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Caller:
    """Reserves and settles as an edge does, over its own kind of connection."""

    def __init__(self, link: RedisLink, now_ms: int = 0) -> None:
        self.link = link
        self.calls = ReserveCalls("edge_1", lambda: now_ms or wall_ms())

    async def reserve(self, wanted: Claim, not_after_ms: int = 0) -> Answer:
        return reserve_call.answer(await self.link.call(self.calls.reserve(wanted, not_after_ms)))

    async def granted(self, wanted: Claim) -> Granted:
        answer = await self.reserve(wanted)
        assert isinstance(answer, Granted), answer
        return answer

    async def refused(self, wanted: Claim) -> Refused:
        answer = await self.reserve(wanted)
        assert isinstance(answer, Refused), answer
        return answer

    async def settle(self, wanted: Claim, amount: int, tokens: int = 0) -> int:
        command = reserve_call.settle(wanted.account.id, wanted.key.id, wanted.request_id, amount, tokens)
        return int(await self.link.call(command))
