"""The shapes of a login. Passwords and tokens go in and never come out."""

from typing import Annotated

from pydantic import StringConstraints, model_validator

from services.admin.identity.principals import Principal, RoleName
from services.admin.web.fields import InstantText, Shown, Strict

Login = Annotated[str, StringConstraints(min_length=1, max_length=254)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class SessionCreate(Strict):
    """Either `email` and `password`, or a management `token`."""

    email: Login | None = None
    password: Secret | None = None
    token: Secret | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "SessionCreate":
        if (self.token is None) != (self.email is not None and self.password is not None):
            raise ValueError("needs email and password, or a token")
        if self.token is not None and (self.email is not None or self.password is not None):
            raise ValueError("needs email and password, or a token")
        return self


class PrincipalShown(Shown):
    id: str
    kind: str
    name: str
    account_id: str
    role: RoleName
    operates: bool

    @classmethod
    def of(cls, principal: Principal) -> "PrincipalShown":
        return cls(
            id=principal.id,
            kind=principal.kind,
            name=principal.name,
            account_id=principal.account_id,
            role=principal.role.value,
            operates=principal.operates,
        )


class SessionShown(Shown):
    principal: PrincipalShown
    expires_at: InstantText | None
