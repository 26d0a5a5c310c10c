"""The shapes of management tokens in the API. A token is shown once, by the answer that makes it."""

from pydantic import Field

from services.admin.clock import instant_text
from services.admin.identity.principals import Role, RoleName
from services.admin.store.credentials import DEFAULT_OVERLAP_S, MAX_OVERLAP_S
from services.admin.store.schema import Token
from services.admin.web.fields import Identity, Instant, InstantText, Name, Shown, Strict, unchanged


class TokenCreate(Strict):
    name: Name
    role: RoleName = Role.MEMBER.value
    account_id: Identity | None = Field(None, description="The caller's own account when it is left out.")
    expires_at: Instant | None = None


class TokenPatch(Strict):
    name: Name = unchanged()
    role: RoleName = unchanged()
    expires_at: Instant | None = unchanged()


class TokenRotate(Strict):
    """How long the secret that is replaced still works."""

    overlap_seconds: int = Field(DEFAULT_OVERLAP_S, ge=0, le=MAX_OVERLAP_S)


class TokenShown(Shown):
    """After a rotation `previous_hint` and `previous_ends_at` tell of the secret before."""

    id: str
    account_id: str
    name: str
    role: RoleName
    hint: str
    previous_hint: str | None
    previous_ends_at: InstantText | None
    expires_at: InstantText | None
    created_by: str
    created_at: InstantText
    updated_at: InstantText

    @classmethod
    def of(cls, row: Token) -> "TokenShown":
        return cls(
            id=row.id,
            account_id=row.account_id,
            name=row.name,
            role=Role(row.role).value,
            hint=row.hint,
            previous_hint=row.previous_hint,
            previous_ends_at=None if row.previous_ends_at_ms is None else instant_text(row.previous_ends_at_ms),
            expires_at=None if row.expires_at_ms is None else instant_text(row.expires_at_ms),
            created_by=row.created_by,
            created_at=instant_text(row.created_at_ms),
            updated_at=instant_text(row.updated_at_ms),
        )


class TokenMade(TokenShown):
    """With the token itself, this once."""

    token: str
