"""The shapes of users in the API. A password goes in and never comes out."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from services.admin.clock import instant_text
from services.admin.identity.principals import Role, RoleName
from services.admin.store.schema import User
from services.admin.web.fields import Identity, InstantText, Name, Shown, Strict, clean_text, unchanged


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not (at and local and domain) or " " in text:
        raise ValueError("must be an e-mail address")
    return clean_text(text).lower()


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email)]
Password = Annotated[str, StringConstraints(min_length=8, max_length=256)]


class UserCreate(Strict):
    name: Name
    account_id: Identity | None = Field(None, description="The caller's own account when it is left out.")
    email: Email | None = None
    password: Password | None = Field(None, description="Without one the user can't log in.")
    role: RoleName = Role.MEMBER.value


class UserPatch(Strict):
    name: Name = unchanged()
    email: Email | None = unchanged()
    password: Password | None = unchanged()
    role: RoleName = unchanged()


class UserShown(Shown):
    id: str
    account_id: str
    name: str
    email: str | None
    role: RoleName
    has_password: bool
    created_at: InstantText
    updated_at: InstantText

    @classmethod
    def of(cls, row: User) -> "UserShown":
        return cls(
            id=row.id,
            account_id=row.account_id,
            name=row.name,
            email=row.email,
            role=Role(row.role).value,
            has_password=row.password_hash is not None,
            created_at=instant_text(row.created_at_ms),
            updated_at=instant_text(row.updated_at_ms),
        )
