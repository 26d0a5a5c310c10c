"""Looks for accounts and budgets that were charged more than their limit allows.

It decides what proves overspending: a limit that was in force all the time. An account that was unlimited at some time,
whose credit was taken back, or a key whose record was changed since, may be above its limit without any fault.
"""

from dataclasses import dataclass

from clickhouse_connect.driver.asyncclient import AsyncClient
from nats.js import JetStreamContext

from oneapi.bus.bucket_reader import contents
from oneapi.bus.subjects import BUCKET_KEYS
from oneapi.catalog.entries import BadEntry, decode
from oneapi.catalog.types import RelayKey
from services.billing.scopes import parse

_ACCOUNTS = """
SELECT account_id, sumIf(amount_nano, line = 'main') AS charged, sumIf(amount_nano, line != 'main') AS given
FROM ledger_v
GROUP BY account_id
HAVING charged > given
    AND countIf(line = 'main' AND NOT limited) = 0 AND countIf(line != 'main' AND amount_nano < 0) = 0
"""
_SCOPES = """
SELECT scope, sum(amount_nano) AS charged, toUnixTimestamp64Milli(min(reserved_at))
FROM ledger_v
ARRAY JOIN scopes AS scope
WHERE line = 'main'
GROUP BY scope
HAVING charged > 0
"""


@dataclass(frozen=True, slots=True)
class Overspent:
    """Something with a limit that doesn't hold."""

    what: str
    charged_nano: int
    limit_nano: int


async def overspent_accounts(client: AsyncClient) -> list[Overspent]:
    """Prepaid accounts that were charged more than they were ever given."""
    result = await client.query(_ACCOUNTS)
    return [
        Overspent(f"the account {account}", int(charged), int(given)) for account, charged, given in result.result_rows
    ]


async def overspent_budgets(client: AsyncClient, js: JetStreamContext) -> tuple[list[Overspent], int]:
    """Budgets charged above a limit that has been the same since their first charge; and how many others are above."""
    keys = await _keys(js)
    found, lowered = [], 0
    for name, charged, first_ms in (await client.query(_SCOPES)).result_rows:
        scope = parse(str(name))
        if scope is None or scope.key_id not in keys:
            continue
        key, changed_ms = keys[scope.key_id]
        limits = [
            budget.amount_nano
            for budget in key.budgets
            if (budget.window, budget.timezone if budget.window != "total" else "UTC") == (scope.window, scope.timezone)
        ]
        if not limits or charged <= min(limits):
            continue
        if changed_ms <= first_ms:
            found.append(Overspent(f"the budget {name}", int(charged), min(limits)))
        else:
            lowered += 1
    return found, lowered


async def _keys(js: JetStreamContext) -> dict[str, tuple[RelayKey, int]]:
    """Every key by its id, with the time (ms) of its last change."""
    bucket = await js.key_value(BUCKET_KEYS)
    found: dict[str, tuple[RelayKey, int]] = {}
    for update in await contents(bucket):
        try:
            entry = decode(update.value or b"")
        except BadEntry:
            continue
        if isinstance(entry.value, RelayKey):
            found[entry.value.id] = (entry.value, entry.changed_at_ms)
    return found
