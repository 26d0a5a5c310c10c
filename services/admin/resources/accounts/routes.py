"""The routes of accounts and their credits.

Decides what a change of an account means for what hangs on it: an account is deleted with its users, keys and tokens,
and its credits stay, as the record of money. It must not know SQL or how anything is published.
"""

from typing import Annotated

from fastapi import Query as QueryParameters

from oneapi.catalog.types import MAX_AMOUNT_NANO, OPERATOR_ACCOUNT_ID
from oneapi.runtime.ids import new_id
from services.admin.identity.accounts import visible_account
from services.admin.identity.principals import Access
from services.admin.publishing import published
from services.admin.resources.accounts import queries, removal
from services.admin.resources.accounts.schemas import (
    AccountCreate,
    AccountPatch,
    AccountShown,
    CreditCreate,
    CreditShown,
)
from services.admin.store.changes import Change
from services.admin.store.schema import Account, Credit
from services.admin.web import problems
from services.admin.web.call import Call
from services.admin.web.fields import ListOf, Name, PageQuery, changes
from services.admin.web.routes import CallDep, asks, resource_router

router = resource_router("/api/accounts", "accounts")


class AccountQuery(PageQuery):
    name: Name | None = None


@router.post("", status_code=201)
@asks(Access.OPERATE)
async def create(call: CallDep, body: AccountCreate) -> AccountShown:
    """Makes an account. Without `unlimited` it is prepaid: it is refused until it has credit."""
    change = await call.change()
    row = Account(
        id=new_id("acc"),
        name=body.name,
        unlimited=body.unlimited,
        group=body.group,
        enabled=body.enabled,
        created_at_ms=change.at_ms,
        updated_at_ms=change.at_ms,
    )
    row.revision = await change.publish("account", row.id, published.account(row))
    change.session.add(row)
    shown = AccountShown.of(row)
    change.record("account.create", "account", row.id, row.id, after=shown.model_dump())
    return shown


@router.get("")
@asks(Access.READ)
async def list_accounts(call: CallDep, query: Annotated[AccountQuery, QueryParameters()]) -> ListOf[AccountShown]:
    """The accounts that the caller may see, newest first."""
    found = await queries.listed(await call.read(), call.principal, query.name, query.limit, query.cursor)
    return ListOf(data=[AccountShown.of(row) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/{account_id}")
@asks(Access.READ)
async def get(call: CallDep, account_id: str) -> AccountShown:
    """One account."""
    row = await visible_account(await call.read(), call.principal, account_id)
    if row is None:
        raise problems.not_found()
    return AccountShown.of(row)


@router.patch("/{account_id}")
@asks(Access.OPERATE)
async def patch(call: CallDep, account_id: str, body: AccountPatch) -> AccountShown:
    """Changes the fields that are given."""
    change, row = await _changing(call, account_id)
    if row.id == OPERATOR_ACCOUNT_ID and (body.enabled is False or body.unlimited is False):
        raise problems.conflict("operator_account", "The operator's account stays enabled and unlimited.")
    before = AccountShown.of(row)
    for name, value in changes(body).items():
        setattr(row, name, value)
    if not call.changed(before, AccountShown.of(row)):
        return before
    row.updated_at_ms = change.at_ms
    row.revision = await change.publish("account", row.id, published.account(row))
    shown = AccountShown.of(row)
    change.record("account.update", "account", row.id, row.id, before=before.model_dump(), after=shown.model_dump())
    return shown


@router.delete("/{account_id}", status_code=204)
@asks(Access.OPERATE)
async def delete(call: CallDep, account_id: str) -> None:
    """Deletes the account with its users, keys and tokens. Its credits and its ledger stay."""
    change, row = await _changing(call, account_id)
    if row.id == OPERATOR_ACCOUNT_ID:
        raise problems.conflict("operator_account", "The operator's account can't be deleted.")
    await removal.remove_contents(change, row.id)
    await change.publish("account", row.id, None)
    await change.session.delete(row)
    change.record("account.delete", "account", row.id, row.id, before=AccountShown.of(row).model_dump())


@router.post("/{account_id}/credits", status_code=201)
@asks(Access.OPERATE)
async def grant(call: CallDep, account_id: str, body: CreditCreate) -> CreditShown:
    """Gives the account credit. Use an Idempotency-Key: the same one never gives it twice."""
    if body.amount_usd == 0:
        raise problems.invalid("amount_usd", "must not be 0")
    change, row = await _changing(call, account_id)
    total = await queries.credit_sum(change.session, call.principal, row.id) + body.amount_usd
    if abs(total) > MAX_AMOUNT_NANO:
        raise problems.invalid("amount_usd", "would take the account's credits out of bounds")
    credit = Credit(
        id=new_id("crd"),
        account_id=row.id,
        amount_nano=body.amount_usd,
        reason=body.reason,
        granted_by=call.principal.id,
        created_at_ms=change.at_ms,
    )
    await change.grant(credit)
    shown = CreditShown.of(credit)
    change.record("credit.create", "credit", credit.id, row.id, after=shown.model_dump())
    return shown


@router.get("/{account_id}/credits")
@asks(Access.READ)
async def list_credits(
    call: CallDep, account_id: str, query: Annotated[PageQuery, QueryParameters()]
) -> ListOf[CreditShown]:
    """The credits of an account, newest first."""
    session = await call.read()
    if await visible_account(session, call.principal, account_id) is None:
        raise problems.not_found()
    found = await queries.credits_listed(session, call.principal, account_id, query.limit, query.cursor)
    return ListOf(data=[CreditShown.of(row) for row in found.rows], next_cursor=found.next_cursor)


async def _changing(call: Call, account_id: str) -> tuple[Change, Account]:
    change = await call.change()
    row = await visible_account(change.session, call.principal, account_id)
    if row is None:
        raise problems.not_found()
    return change, row
