import pytest
from sqlalchemy import select

from oneapi.catalog.types import OPERATOR_ACCOUNT_ID
from services.admin.identity.principals import Access, Principal, Role, visible
from services.admin.store.schema import Account


def principal(account_id: str, role: Role) -> Principal:
    return Principal(id="p", kind="token", name="p", account_id=account_id, role=role)


@pytest.mark.parametrize(
    ("account_id", "role", "allowed"),
    [
        (OPERATOR_ACCOUNT_ID, Role.OWNER, {Access.READ, Access.MANAGE, Access.OPERATE}),
        (OPERATOR_ACCOUNT_ID, Role.ADMIN, {Access.READ, Access.MANAGE, Access.OPERATE}),
        (OPERATOR_ACCOUNT_ID, Role.MEMBER, {Access.READ}),
        ("acc_other", Role.OWNER, {Access.READ, Access.MANAGE}),
        ("acc_other", Role.ADMIN, {Access.READ, Access.MANAGE}),
        ("acc_other", Role.MEMBER, {Access.READ}),
    ],
)
def test_what_a_role_may(account_id: str, role: Role, allowed: set[Access]) -> None:
    someone = principal(account_id, role)
    assert {access for access in Access if someone.may(access)} == allowed | {Access.PUBLIC}


def test_only_who_runs_the_gateway_sees_every_account() -> None:
    assert principal(OPERATOR_ACCOUNT_ID, Role.ADMIN).account_scope is None
    assert principal(OPERATOR_ACCOUNT_ID, Role.MEMBER).account_scope == OPERATOR_ACCOUNT_ID
    owner = principal("acc_other", Role.OWNER)
    assert (owner.sees("acc_other"), owner.sees(OPERATOR_ACCOUNT_ID)) == (True, False)
    assert "WHERE accounts.id = " in str(visible(select(Account), owner, Account.id))
    assert "WHERE" not in str(visible(select(Account), principal(OPERATOR_ACCOUNT_ID, Role.OWNER), Account.id))


def test_ranks() -> None:
    administrator = principal("acc_other", Role.ADMIN)
    assert [administrator.outranks_or_equals(role) for role in Role] == [True, True, False]
