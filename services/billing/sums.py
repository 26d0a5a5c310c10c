"""Sums of the ledger by account and budget scope: what Redis is set to.

It decides how they are read: quickly, from the hourly tables and the ledger's open hours (after each batch), or from
every line there is (when an account is opened, and to check the quick way). It must not know what they are used for.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from clickhouse_connect.driver.asyncclient import AsyncClient

from services.billing.hours import LIVE, ROLLED, Hours
from services.billing.scopes import ACCOUNT

_QUICK = f"""
SELECT account_id, scope, sum(amount) AS charged, sum(credit) AS given
FROM (
    SELECT account_id, scope, amount_nano AS amount, credits_nano AS credit
    FROM charges_hourly
    WHERE account_id IN {{accounts:Array(String)}} AND scope IN {{scopes:Array(String)}} AND {ROLLED}
    UNION ALL
    SELECT account_id, scope, if(line = 'main', amount_nano, 0) AS amount, if(line = 'main', 0, amount_nano) AS credit
    FROM ledger_v
    ARRAY JOIN arrayConcat([''], scopes) AS scope
    WHERE account_id IN {{accounts:Array(String)}} AND scope IN {{scopes:Array(String)}} AND {LIVE}
)
GROUP BY account_id, scope
"""  # noqa: S608 - the inserted parts are constants

_FULL = """
SELECT
    account_id,
    scope,
    sumIf(amount_nano, line = 'main') AS charged,
    sumIf(amount_nano, line != 'main') AS given
FROM ledger_v
ARRAY JOIN arrayConcat([''], scopes) AS scope
WHERE account_id IN {accounts:Array(String)}
GROUP BY account_id, scope
HAVING scope = '' OR endsWith(scope, ':total') OR max(reserved_at) > now() - INTERVAL 40 DAY
"""
"""Budgets of periods that are long over are left out: nothing is admitted against them any more."""

_HAS_CHARGES = """
SELECT DISTINCT account_id FROM ledger WHERE account_id IN {accounts:Array(String)} AND line = 'main'
"""


@dataclass(slots=True)
class AccountSums:
    """nano-USD. `scopes` has the budget scopes with what was charged against them."""

    charged: int = 0
    credits: int = 0
    scopes: dict[str, int] = field(default_factory=dict)


class Sums:
    """Reads sums. Every method raises what the driver raises."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def quick(self, wanted: Mapping[str, Collection[str]], hours: Hours) -> dict[str, AccountSums]:
        """The sums of accounts and of these scopes of theirs; a scope without a line is 0.

        `hours` must be the writer's own rule, at a moment when nothing is being appended.
        """
        scopes = sorted({ACCOUNT, *(scope for chosen in wanted.values() for scope in chosen)})
        found = {account: AccountSums(scopes=dict.fromkeys(chosen, 0)) for account, chosen in wanted.items()}
        parameters = {"accounts": sorted(wanted), "scopes": scopes, **hours.parameters()}
        return await self._read(_QUICK, parameters, found)

    async def full(self, accounts: Collection[str]) -> dict[str, AccountSums]:
        """The sums of accounts and of all scopes that can still count, from every line."""
        found = {account: AccountSums() for account in accounts}
        return await self._read(_FULL, {"accounts": sorted(accounts)}, found)

    async def charged_before(self, accounts: Collection[str]) -> set[str]:
        """Those of the accounts that have any charge in the ledger."""
        result = await self._client.query(_HAS_CHARGES, parameters={"accounts": sorted(accounts)})
        return {str(account) for (account,) in result.result_rows}

    async def _read(
        self, query: str, parameters: dict[str, object], found: dict[str, AccountSums]
    ) -> dict[str, AccountSums]:
        result = await self._client.query(query, parameters=parameters)
        for account, scope, charged, given in result.result_rows:
            sums = found[str(account)]
            if scope == ACCOUNT:
                sums.charged, sums.credits = int(charged), int(given)
            else:
                sums.scopes[str(scope)] = int(charged)
        return found
