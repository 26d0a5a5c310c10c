"""An account that is open, its keys, and what requests claim."""

from oneapi.catalog.types import Account, Budget, KeyLimits, RelayKey
from oneapi.runtime.ids import uuid7
from oneapi.runtime.redis_functions import MoneyFunctions
from services.edge.money.claim import Claim
from tests.servers import unique_name

RATES = {"input": 1_000, "output": 2_000, "per_call": 5_000_000}
"""Pico-USD: a nano-USD per input token, two per output token, 5,000 per call."""


async def open_account(functions: MoneyFunctions, credit: int = 0, account_id: str = "") -> Account:
    """A new account with this much credit in nano-USD; unlimited without any."""
    account_id = account_id or unique_name("acc")
    assert await functions.rebuild(account_id, "first", 1)
    assert await functions.open(account_id, "first", epoch="e1", pver=1, credits=credit, posted=0, scopes={})
    return Account(id=account_id, name="test", unlimited=not credit)


def relay_key(account: Account, *budgets: Budget, limits: KeyLimits | None = None) -> RelayKey:
    return RelayKey(
        id=unique_name("key"), name="test", account_id=account.id, budgets=budgets, limits=limits or KeyLimits()
    )


def claim(account: Account, key: RelayKey, reserve_nano: int = 100, tokens: int = 10, traceparent: str = "") -> Claim:
    return Claim(
        request_id=uuid7(),
        key=key,
        account=account,
        user_id="user_1",
        model="sandbox",
        endpoint="chat",
        reserve_nano=reserve_nano,
        rates_ceiling=RATES,
        estimated_tokens=tokens,
        client_request_id="",
        traceparent=traceparent,
        streamed=True,
        lease_s=60.0,
        prompt_bytes=40,
    )
