"""What requests claim in these tests."""

from oneapi.catalog.types import Account, Budget, KeyLimits, RelayKey
from services.edge.money.claim import Claim

ACCOUNT = Account(id="acc", name="")


def claim(
    *budgets: Budget,
    limits: KeyLimits | None = None,
    account: Account = ACCOUNT,
    reserve_nano: int = 100,
    rid: str = "rid",
) -> Claim:
    """A claim of a key with these budgets and limits."""
    key = RelayKey(id="key", name="", account_id=account.id, budgets=budgets, limits=limits or KeyLimits())
    return Claim("rid", key, account, "user", "sandbox", "chat", reserve_nano, None, 12, "", "", False, 60.5)
