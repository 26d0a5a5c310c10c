"""The shapes of accounts and credits in the API. It must not know how they are stored or found."""

from pydantic import Field

from oneapi.pricing.money import usd_text
from services.admin.clock import instant_text
from services.admin.store.schema import Account, Credit
from services.admin.web.fields import Group, InstantText, Name, Reason, Shown, Strict, Usd, UsdText, unchanged


class AccountCreate(Strict):
    name: Name
    unlimited: bool = False
    group: Group = "default"
    enabled: bool = True


class AccountPatch(Strict):
    name: Name = unchanged()
    unlimited: bool = unchanged()
    group: Group = unchanged()
    enabled: bool = unchanged()


class AccountShown(Shown):
    id: str
    name: str
    unlimited: bool
    group: str
    enabled: bool
    created_at: InstantText
    updated_at: InstantText

    @classmethod
    def of(cls, row: Account) -> "AccountShown":
        return cls(
            id=row.id,
            name=row.name,
            unlimited=row.unlimited,
            group=row.group,
            enabled=row.enabled,
            created_at=instant_text(row.created_at_ms),
            updated_at=instant_text(row.updated_at_ms),
        )


class CreditCreate(Strict):
    amount_usd: Usd = Field(description="A negative amount takes credit back.")
    reason: Reason


class CreditShown(Shown):
    id: str
    account_id: str
    amount_usd: UsdText
    reason: str
    granted_by: str
    created_at: InstantText

    @classmethod
    def of(cls, row: Credit) -> "CreditShown":
        return cls(
            id=row.id,
            account_id=row.account_id,
            amount_usd=usd_text(row.amount_nano),
            reason=row.reason,
            granted_by=row.granted_by,
            created_at=instant_text(row.created_at_ms),
        )
