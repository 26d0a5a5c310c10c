"""Principals, roles, and what a role may do.

Decides who sees and changes what: administrators and owners of the operator's account run the whole gateway; those of
another account run that account's users, keys and tokens; members only read their own account. This module must not
know how a caller proves who it is.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Literal, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from oneapi.catalog.types import OPERATOR_ACCOUNT_ID

Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])


class Role(StrEnum):
    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"


RoleName = Literal["member", "admin", "owner"]
"""A role as bodies and answers write it."""
RANKS = {Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3}


class Access(Enum):
    """What a route asks of its caller."""

    PUBLIC = "nothing"
    READ = "any principal; it sees its own account"
    MANAGE = "an administrator or owner; of its own account, or of the gateway"
    OPERATE = "an administrator or owner of the operator's account"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `kind` is user, token or first_administrator; `session_id` is set when a cookie said so."""

    id: str
    kind: str
    name: str
    account_id: str
    role: Role
    session_id: str | None = None

    @property
    def operates(self) -> bool:
        """Whether it runs the whole gateway."""
        return self.account_id == OPERATOR_ACCOUNT_ID and self.role is not Role.MEMBER

    @property
    def account_scope(self) -> str | None:
        """The one account that it may see; None for all."""
        return None if self.operates else self.account_id

    def sees(self, account_id: str) -> bool:
        """Whether what belongs to this account exists for it."""
        return self.account_scope in {None, account_id}

    def outranks_or_equals(self, role: str) -> bool:
        """Whether it may grant this role, and change or delete one who has it."""
        return RANKS[self.role] >= RANKS[Role(role)]

    def may(self, access: Access) -> bool:
        """Whether the role is enough for a route; which rows it then sees is `visible`'s business."""
        match access:
            case Access.PUBLIC | Access.READ:
                return True
            case Access.MANAGE:
                return self.role is not Role.MEMBER
            case Access.OPERATE:
                return self.operates


def visible(statement: Statement, principal: Principal, account: InstrumentedAttribute[str]) -> Statement:
    """The statement, narrowed to the rows whose account the principal may see."""
    scope = principal.account_scope
    return statement if scope is None else statement.where(account == scope)
