"""The money functions inside Redis: which there are, what they take and what they answer.

The library itself is `money_functions.lua`. This module loads it and gives it to services that speak to Redis at their
own pace (billing). The edge, which calls two of the functions for every request, packs those two calls itself from the
names and keys given here. It must not know what money is for: amounts are integers of nano-USD that it passes on.
"""

import dataclasses
import re
from collections.abc import Awaitable, Mapping, Sequence
from importlib import resources
from typing import Any, Protocol

MISSING_FUNCTION = "Function not found"
"""Redis' answer to a call when the library isn't there (a new or restored server)."""


class Commands(Protocol):
    """As much of a redis-py client as is needed here."""

    def execute_command(self, *args: Any, **options: Any) -> Awaitable[Any]:
        """Sends one command; its answer, or redis-py's exceptions."""
        ...


def source() -> str:
    """Text of the library, as `FUNCTION LOAD` takes it."""
    return resources.files(__package__).joinpath("money_functions.lua").read_text("utf-8")


def version(text: str) -> int:
    """Version that a library's text declares."""
    found = re.search(r"^local VERSION = (\d+)$", text, re.MULTILINE)
    if found is None:
        raise ValueError("the library declares no version")
    return int(found[1])


def balance_key(account_id: str) -> str:
    """Hash of an account's sums."""
    return f"b:{{{account_id}}}"


def reservation_key(account_id: str, request_id: str) -> str:
    """Hash of one reservation."""
    return f"r:{{{account_id}}}:{request_id}"


def leases_key(account_id: str) -> str:
    """Sorted set of an account's reservations by the end of their lease in ms of Redis' clock."""
    return f"z:{{{account_id}}}"


def rate_key(account_id: str, key_id: str, what: str) -> str:
    """Counter of a key's rate; `what` is rpm or tpm."""
    return f"g:{{{account_id}}}:{key_id}:{what}"


def concurrency_key(account_id: str, key_id: str) -> str:
    """Sorted set of a key's requests in flight."""
    return f"c:{{{account_id}}}:{key_id}"


async def ensure(redis: Commands) -> None:
    """Loads the library when the server has none, or an older one. A newer one stays: its callers need it."""
    text = source()
    try:
        present = int(await _call(redis, "oneapi_version", (), ()))
    except Exception as error:  # by its text, so that no driver need be imported here
        if MISSING_FUNCTION not in str(error):
            raise
        present = 0
    if present < version(text):
        await redis.execute_command("FUNCTION", "LOAD", "REPLACE", text)


@dataclasses.dataclass(frozen=True, slots=True)
class Counters:
    """nano-USD in the ledger, settled but not yet there, and held by requests in flight."""

    posted: int = 0
    unposted: int = 0
    reserved: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class AccountState:
    """What Redis holds of an account. `epoch` is "" while it isn't open; `rebuild_id` "" unless it is being built."""

    epoch: str
    rebuild_id: str
    credits: int
    account: Counters
    scopes: Mapping[str, Counters]


@dataclasses.dataclass(frozen=True, slots=True)
class HeldReservation:
    """One open reservation, as an edge reports it."""

    request_id: str
    amount_nano: int
    lease_end_ms: int
    reserved_at_ms: int
    hard: bool
    scopes: Sequence[str]
    edge_id: str
    key_id: str
    user_id: str
    model: str


class MoneyFunctions:
    """The library's calls, one round trip each. All of them check first and write after, and may be repeated.

    Every call but `balances` and `extend` is for the one writer of the ledger. `pver` is its fencing token: a call with
    an older one than was seen before changes nothing. Raises what redis-py raises; loads the library when it's missing.
    """

    def __init__(self, redis: Commands) -> None:
        self._redis = redis

    async def post(
        self,
        account_id: str,
        pver: int,
        posted: int | None,
        *,
        scopes: Mapping[str, int | None],
        request_ids: Sequence[str],
        credits: int | None = None,  # noqa: A002 - the name of the thing
    ) -> int:
        """Sets the ledger's sums (absolute, nano-USD) and closes these requests' reservations.

        With None for `posted` the sums are still to come, and until then what is closed counts as posted. A scope given
        as None is forgotten when nothing is open in it: its period is over. Returns how many reservations
        were closed, -1 when a newer writer has been here, -2 when the account isn't open.
        """
        keys = [balance_key(account_id), leases_key(account_id)]
        keys += [reservation_key(account_id, request_id) for request_id in request_ids]
        sums = ("" if credits is None else credits, "" if posted is None else posted)
        args = [pver, *sums, *_pairs(scopes), *request_ids]
        return int(await self._call("oneapi_post", keys, args))

    async def rebuild(self, account_id: str, rebuild_id: str, pver: int) -> bool:
        """Closes the account and forgets everything known of it. False when a newer writer has been here."""
        keys = (balance_key(account_id), leases_key(account_id))
        return int(await self._call("oneapi_rebuild", keys, (rebuild_id, pver))) == 1

    async def force(self, account_id: str, rebuild_id: str, held: HeldReservation) -> bool:
        """Puts back an open reservation. False when this rebuild is no longer the one under way."""
        keys = (balance_key(account_id), leases_key(account_id), reservation_key(account_id, held.request_id))
        args = (
            *(rebuild_id, held.request_id, held.amount_nano, held.lease_end_ms, held.reserved_at_ms, int(held.hard)),
            *("\n".join(held.scopes), held.edge_id, held.key_id, held.user_id, held.model),
        )
        return int(await self._call("oneapi_force", keys, args)) == 1

    async def open(
        self,
        account_id: str,
        rebuild_id: str,
        *,
        epoch: str,
        pver: int,
        credits: int,  # noqa: A002 - the name of the thing
        posted: int,
        scopes: Mapping[str, int],
    ) -> bool:
        """Opens the account with the ledger's sums; what is reserved follows from the reservations that are there.

        True as well when it is open with this epoch already. False when this rebuild is no longer the one under way.
        """
        keys = (balance_key(account_id), leases_key(account_id))
        args = (rebuild_id, epoch, pver, credits, posted, *_pairs(scopes))
        return int(await self._call("oneapi_open", keys, args)) == 1

    async def extend(
        self,
        account_id: str,
        request_id: str,
        extra_nano: int,
        turn: int,
        *,
        limits: Mapping[str, int],
        unlimited: bool,
    ) -> tuple[str, ...]:
        """Reserves more for a request in flight; `turn` counts its extensions from 1, and repeating one is harmless.

        `limits` are nano-USD by budget scope. Answers ("ok", amount), ("no", rule, limit, used, scope), ("gone",) when
        it isn't in flight, or ("order",) when an extension was left out.
        """
        keys = (balance_key(account_id), reservation_key(account_id, request_id))
        answer = await self._call("oneapi_extend", keys, (extra_nano, turn, *_pairs(limits), int(unlimited)))
        return tuple(_text(answer).split("\t"))

    async def balances(self, account_id: str, scopes: Sequence[str] = ()) -> AccountState:
        """What is known of the account and of these budget scopes."""
        answer = await self._call("oneapi_balances", (balance_key(account_id),), scopes)
        epoch, rebuild_id, *numbers = [_text(part) for part in answer]
        credit, *sums = [int(part) for part in numbers]
        counters = [Counters(*sums[place : place + 3]) for place in range(0, len(sums), 3)]
        return AccountState(epoch, rebuild_id, credit, counters[0], dict(zip(scopes, counters[1:], strict=True)))

    async def _call(self, name: str, keys: Sequence[str], args: Sequence[str | int]) -> Any:
        try:
            return await _call(self._redis, name, keys, args)
        except Exception as error:  # by its text, so that the edge, which takes only names from here, needs no redis-py
            if MISSING_FUNCTION not in str(error):
                raise
        await ensure(self._redis)
        return await _call(self._redis, name, keys, args)


async def _call(redis: Commands, name: str, keys: Sequence[str], args: Sequence[str | int]) -> Any:
    return await redis.execute_command("FCALL", name, len(keys), *keys, *args)


def _pairs(sums: Mapping[str, int | None] | Mapping[str, int]) -> list[str | int]:
    flat: list[str | int] = [len(sums)]
    for scope, amount in sums.items():
        flat += [scope, "" if amount is None else amount]
    return flat


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
