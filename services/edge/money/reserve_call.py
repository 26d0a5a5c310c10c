"""The two calls of the hot path to Redis: RESERVE and SETTLE, packed, and RESERVE's answer, unpacked.

It decides which arguments travel and caches what is the same for all requests of a key. It must not know when a call is
made, nor what an answer means for the client. Times are ms of Redis' clock unless they say otherwise.
"""

import functools
from collections.abc import Callable

import msgspec

from oneapi.catalog.types import MAX_AMOUNT_NANO, Account, RelayKey
from oneapi.runtime import redis_functions
from services.edge.money.claim import Claim
from services.edge.money.periods import periods
from services.edge.money.resp import bulk

CACHED_KEYS = 20_000

_RESERVE_KEYS = 6
_FIXED_PARTS = 3 + _RESERVE_KEYS + 14
_SETTLE_HEAD = b"*11\r\n" + bulk("FCALL") + bulk("oneapi_settle") + bulk("5")
_RESERVE_HEAD = bulk("FCALL") + bulk("oneapi_reserve") + bulk(str(_RESERVE_KEYS))


class Granted(msgspec.Struct, frozen=True):
    """It fits, and is reserved. Rates left and ms until all is there again, -1 where the key has no such limit."""

    now_ms: int
    reserved_at_ms: int
    lease_end_ms: int
    hard: bool
    scopes: tuple[str, ...]
    rpm_left: int
    rpm_reset_ms: int
    tpm_left: int
    tpm_reset_ms: int


class Refused(msgspec.Struct, frozen=True):
    """It doesn't fit; nothing was taken. `rule` is credits, budget, concurrency, rpm or tpm.

    `scope` is the budget's. `until_ms` is when the budget's period ends (0: never), or how long to wait for a rate.
    """

    now_ms: int
    rule: str
    limit: int
    used: int
    scope: str
    until_ms: int


class NotOpen(msgspec.Struct, frozen=True):
    """Redis doesn't know the account (yet, or any more). `rebuild_id` is "" unless it is being built anew."""

    now_ms: int
    rebuild_id: str


class WrongTime(msgspec.Struct, frozen=True):
    """The call came too late, or no period fits Redis' clock; nothing was taken."""

    now_ms: int


Answer = Granted | Refused | NotOpen | WrongTime


class _Prefix(msgspec.Struct):
    """What is the same for all requests of a key: parts of the call, and until when (edge's ms, 0: for ever)."""

    key: RelayKey
    account: Account
    user_id: str
    count: bytes
    keys: bytes
    reservation_prefix: str
    rate_keys: bytes
    unlimited_and_rates: bytes
    concurrency: bytes
    budgets: bytes
    until_ms: int


class ReserveCalls:
    """Packs the calls of one edge. `now_ms` is the edge's clock, which only proposes periods."""

    def __init__(self, edge_id: str, now_ms: Callable[[], int]) -> None:
        self._edge = bulk(edge_id)
        self._now_ms = now_ms
        self._prefixes: dict[str, _Prefix] = {}

    def reserve(self, claim: Claim, not_after_ms: int) -> bytes:
        """The RESERVE of a claim. Redis refuses it after `not_after_ms` (0: never).

        Raises ValueError when a budget of the key has a window or a time zone that doesn't exist.
        """
        made = self._prefix(claim)
        amount = min(claim.reserve_nano, MAX_AMOUNT_NANO)
        return b"".join(
            (
                made.count,
                _RESERVE_HEAD,
                made.keys,
                bulk(made.reservation_prefix + claim.request_id),
                made.rate_keys,
                bulk(claim.request_id),
                bulk(b"%d" % amount),
                bulk(b"%d" % (claim.lease_s * 1000)),
                bulk(b"%d" % not_after_ms),
                made.unlimited_and_rates,
                bulk(b"%d" % claim.estimated_tokens),
                made.concurrency,
                bulk(claim.model),
                made.budgets,
            )
        )

    def _prefix(self, claim: Claim) -> _Prefix:
        key, account = claim.key, claim.account
        made = self._prefixes.get(key.id)
        if (
            made is not None
            and made.key is key
            and made.account is account
            and made.user_id == claim.user_id
            and (not made.until_ms or self._now_ms() < made.until_ms)
        ):
            return made
        if len(self._prefixes) >= CACHED_KEYS:
            self._prefixes.clear()
        made = self._prefixes[key.id] = self._made(key, account, claim.user_id)
        return made

    def _made(self, key: RelayKey, account: Account, user_id: str) -> _Prefix:
        count, budgets, until = _budgets(key, self._now_ms())
        limits = key.limits
        return _Prefix(
            key=key,
            account=account,
            user_id=user_id,
            count=b"*%d\r\n" % (_FIXED_PARTS + count),
            keys=bulk(redis_functions.balance_key(account.id)) + bulk(redis_functions.leases_key(account.id)),
            reservation_prefix=redis_functions.reservation_key(account.id, ""),
            rate_keys=bulk(redis_functions.rate_key(account.id, key.id, "rpm"))
            + bulk(redis_functions.rate_key(account.id, key.id, "tpm"))
            + bulk(redis_functions.concurrency_key(account.id, key.id)),
            unlimited_and_rates=bulk(b"%d" % account.unlimited) + _optional(limits.rpm) + _optional(limits.tpm),
            concurrency=_optional(limits.concurrency) + self._edge + bulk(key.id) + bulk(user_id),
            budgets=budgets,
            until_ms=until,
        )


def settle(account_id: str, key_id: str, request_id: str, amount_nano: int, tokens: int) -> bytes:
    """The SETTLE of a request: what it cost in the end, and how many tokens it took."""
    head, reservation_prefix, rate_keys = _settle_parts(account_id, key_id)
    return b"".join(
        (
            head,
            bulk(reservation_prefix + request_id),
            rate_keys,
            bulk(request_id),
            bulk(b"%d" % amount_nano),
            bulk(b"%d" % tokens),
        )
    )


@functools.lru_cache(CACHED_KEYS)
def _settle_parts(account_id: str, key_id: str) -> tuple[bytes, str, bytes]:
    """What is the same in every SETTLE of a key: before the reservation's key, its prefix, and after it."""
    return (
        _SETTLE_HEAD + bulk(redis_functions.balance_key(account_id)) + bulk(redis_functions.leases_key(account_id)),
        redis_functions.reservation_key(account_id, ""),
        bulk(redis_functions.rate_key(account_id, key_id, "tpm"))
        + bulk(redis_functions.concurrency_key(account_id, key_id)),
    )


def answer(reply: bytes) -> Answer:
    """RESERVE's answer. Raises ValueError for one that isn't known."""
    parts = reply.decode().split("\t")
    kind, now_ms = parts[0], int(parts[1])
    if kind == "ok":
        at, lease, hard, scopes, *rates = parts[2:]
        left = [int(part) if part else -1 for part in rates]
        return Granted(now_ms, int(at), int(lease), hard == "1", tuple(scopes.split("\n")) if scopes else (), *left)
    if kind == "no":
        rule, limit, used, scope, until = parts[2:]
        return Refused(now_ms, rule, int(limit), int(used), scope, int(until))
    if kind == "uninit":
        return NotOpen(now_ms, parts[2])
    if kind in {"late", "clock"}:
        return WrongTime(now_ms)
    raise ValueError(f"Redis answered {kind!r}")


def _budgets(key: RelayKey, now_ms: int) -> tuple[int, bytes, int]:
    """Number of arguments beyond the count, all of them packed, and until when the periods are the right ones."""
    packed = [b"%d" % len(key.budgets)]
    ends = []
    for budget in key.budgets:
        found = periods(budget.window, budget.timezone, now_ms)
        first = found.choices[0]
        packed += [b"%d" % budget.amount_nano, b"%d" % first.start_ms, b"%d" % len(found.choices)]
        for period in found.choices:
            packed += [f"key:{key.id}:{period.name}".encode(), b"%d" % period.end_ms]
        if found.valid_until_ms:
            ends.append(found.valid_until_ms)
    return len(packed) - 1, b"".join([bulk(part) for part in packed]), min(ends, default=0)


def _optional(limit: int | None) -> bytes:
    return bulk(b"" if limit is None else b"%d" % limit)
