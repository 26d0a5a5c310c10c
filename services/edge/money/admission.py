"""Asks Redis for a reservation, and again when that is safe, until there is an answer or the time is up.

It decides on retries: one after silence, with the same request id, and for about a second while the account isn't open
yet. Whatever it can't find out is a 503, and says whether Redis may have taken the money all the same. It must not know
how requests are written down.
"""

import asyncio
import collections
import logging
import random
from collections.abc import Awaitable, Callable

from oneapi.dialects.errors import GatewayError
from oneapi.runtime import metrics, redis_functions, semconv
from services.edge.money import refusals, reserve_call
from services.edge.money.claim import Claim
from services.edge.money.redis_clock import RedisClock
from services.edge.money.redis_link import RedisAway, RedisLink, RedisSilent
from services.edge.money.reserve_call import Granted, NotOpen, Refused, ReserveCalls, WrongTime
from services.edge.money.resp import RedisRefused

logger = logging.getLogger(__name__)

SILENCE_RETRY_S = (0.02, 0.06)
OPENING_LIMIT_S = 1.0
OPENING_PAUSE_S = (0.04, 0.1)

_failures = metrics.counter(semconv.METRIC_REDIS_FAILURES, "Reservations that Redis gave no answer to", ["why"])
_NOT_DONE = ("OOM", "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH", "NOPERM", "BUSY", "MOVED", "TRYAGAIN")
"""Codes of errors that Redis gives before it does anything of a call."""


class NotReserved(Exception):
    """No reservation. `error` is for the client; `uncertain` says that Redis may hold one all the same."""

    def __init__(self, error: GatewayError, *, uncertain: bool) -> None:
        super().__init__(error.code)
        self.error = error
        self.uncertain = uncertain


class Admission:
    """Reservations of one edge.

    `on_not_open(account_id, rebuild_id)` is told of every account that Redis doesn't know. `rebuilds` counts, by
    account, how often this edge has reported its open requests: an answer that is older than a report counts for
    nothing, because the report didn't name the request.
    """

    def __init__(
        self,
        link: RedisLink,
        calls: ReserveCalls,
        clock: RedisClock,
        on_not_open: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._link = link
        self._calls = calls
        self._clock = clock
        self._on_not_open = on_not_open
        self.rebuilds: collections.Counter[str] = collections.Counter()

    async def reserve(self, claim: Claim) -> Granted:
        """The reservation. Raises NotReserved."""
        account_id = claim.account.id
        until = 0.0
        silent = stale = uncertain = False
        while True:
            rebuilds = self.rebuilds[account_id]
            try:
                answer = await self._ask(claim)
            except RedisSilent:
                if silent:
                    _failures.labels("silent").inc()
                    raise NotReserved(refusals.quota_unavailable(), uncertain=True) from None
                silent = uncertain = True
                await asyncio.sleep(random.uniform(*SILENCE_RETRY_S))  # noqa: S311 - jitter is no secret
                continue
            except RedisAway:
                _failures.labels("away").inc()
                raise NotReserved(refusals.quota_unavailable(), uncertain=uncertain) from None
            self._clock.learn(answer.now_ms)
            if isinstance(answer, Granted):
                if self.rebuilds[account_id] == rebuilds:
                    return answer
                uncertain = True
            if isinstance(answer, Refused):
                raise NotReserved(refusals.refusal(answer, claim.reserve_nano), uncertain=uncertain)
            if isinstance(answer, WrongTime):
                # Redis' clock was not where it was believed to be. It is known now; more than once is a wrong clock.
                if stale:
                    _failures.labels("clock").inc()
                    raise NotReserved(refusals.quota_unavailable(), uncertain=uncertain)
                stale = True
                continue
            if isinstance(answer, NotOpen):
                until = until or _now() + OPENING_LIMIT_S
                if _now() >= until:
                    _failures.labels("not_open").inc()
                    raise NotReserved(refusals.quota_unavailable(), uncertain=uncertain)
                await self._on_not_open(account_id, answer.rebuild_id)
                await asyncio.sleep(random.uniform(*OPENING_PAUSE_S))  # noqa: S311 - jitter is no secret

    def settle(self, account_id: str, key_id: str, request_id: str, amount_nano: int, tokens: int) -> None:
        """Settles in Redis if it can be reached; if not, billing does it when the terminal record arrives there."""
        self._link.cast(reserve_call.settle(account_id, key_id, request_id, amount_nano, tokens))

    async def _ask(self, claim: Claim) -> reserve_call.Answer:
        """One RESERVE. Raises RedisSilent, RedisAway, and NotReserved for what no retry can help."""
        try:
            command = self._calls.reserve(claim, self._clock.not_after_ms)
        except ValueError:
            logger.exception("a budget can't be evaluated", extra={"fields": {"key_id": claim.key.id}})
            raise NotReserved(refusals.bad_budget(), uncertain=False) from None
        try:
            try:
                reply = await self._link.call(command)
            except RedisRefused as refused:
                if redis_functions.MISSING_FUNCTION not in str(refused):
                    raise
                await self._link.load_functions()
                reply = await self._link.call(command)
            return reserve_call.answer(reply)
        except (RedisRefused, ValueError) as wrong:
            _failures.labels("error").inc()
            logger.error("Redis can't reserve: %s", wrong)
            # A function that fails in the middle may have written half of what it wanted to.
            uncertain = not str(wrong).startswith(_NOT_DONE)
            raise NotReserved(refusals.quota_unavailable(), uncertain=uncertain) from None


def _now() -> float:
    return asyncio.get_running_loop().time()
