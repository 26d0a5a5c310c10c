"""The routes of management tokens.

Decides that a token's role is at most that of who makes or changes it, and that the token is in the answer once; only
its hash is kept. It must not know SQL.
"""

from typing import Annotated

from fastapi import Query as QueryParameters

from oneapi.runtime import relay_keys
from oneapi.runtime.ids import new_id
from services.admin.identity import sessions
from services.admin.identity.accounts import visible_account
from services.admin.identity.principals import Access
from services.admin.resources.ranks import check_rank
from services.admin.resources.tokens import queries
from services.admin.resources.tokens.removal import remove_token
from services.admin.resources.tokens.schemas import TokenCreate, TokenMade, TokenPatch, TokenRotate, TokenShown
from services.admin.store.changes import Change
from services.admin.store.credentials import DEFAULT_OVERLAP_S, first_secret, replace_secret
from services.admin.store.schema import Token
from services.admin.web import problems
from services.admin.web.call import Call
from services.admin.web.fields import ListOf, PageQuery, changes
from services.admin.web.routes import CallDep, asks, resource_router

router = resource_router("/api/tokens", "tokens")


@router.post("", status_code=201)
@asks(Access.MANAGE)
async def create(call: CallDep, body: TokenCreate) -> TokenMade:
    """Makes a management token and shows it, this once."""
    check_rank(call.principal, body.role)
    change = await call.change()
    account_id = body.account_id or call.principal.account_id
    if await visible_account(change.session, call.principal, account_id) is None:
        raise problems.invalid("account_id", "there is no such account", "unknown_account")
    token = relay_keys.mint_management()
    row = Token(
        id=new_id("tok"),
        account_id=account_id,
        name=body.name,
        role=body.role,
        **first_secret(call.parts.hasher, token),
        expires_at_ms=body.expires_at,
        created_by=call.principal.id,
        created_at_ms=change.at_ms,
        updated_at_ms=change.at_ms,
    )
    change.session.add(row)
    shown = TokenShown.of(row)
    change.record("token.create", "token", row.id, row.account_id, after=shown.model_dump())
    return TokenMade(token=token, **shown.model_dump())


@router.get("")
@asks(Access.MANAGE)
async def list_tokens(call: CallDep, query: Annotated[PageQuery, QueryParameters()]) -> ListOf[TokenShown]:
    """The tokens that the caller may see, newest first."""
    found = await queries.listed(await call.read(), call.principal, query.limit, query.cursor)
    return ListOf(data=[TokenShown.of(row) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/{token_id}")
@asks(Access.MANAGE)
async def get(call: CallDep, token_id: str) -> TokenShown:
    """One token, without the token itself."""
    row = await queries.get(await call.read(), call.principal, token_id)
    if row is None:
        raise problems.not_found()
    return TokenShown.of(row)


@router.patch("/{token_id}")
@asks(Access.MANAGE)
async def patch(call: CallDep, token_id: str, body: TokenPatch) -> TokenShown:
    """Changes the fields that are given."""
    given = changes(body)
    if "role" in given:
        check_rank(call.principal, body.role)
    if "expires_at" in given:
        given["expires_at_ms"] = given.pop("expires_at")
    change, row = await _changing(call, token_id)
    before = TokenShown.of(row)
    if given.get("role", row.role) != row.role:
        await sessions.end_of_token(change.session, row.id)
    for name, value in given.items():
        setattr(row, name, value)
    if not call.changed(before, TokenShown.of(row)):
        return before
    row.updated_at_ms = change.at_ms
    shown = TokenShown.of(row)
    change.record("token.update", "token", row.id, row.account_id, before=before.model_dump(), after=shown.model_dump())
    return shown


@router.post("/{token_id}/rotate")
@asks(Access.MANAGE)
async def rotate(call: CallDep, token_id: str, body: TokenRotate | None = None) -> TokenMade:
    """Gives the token another secret and shows it, this once.

    The one that it replaces works for `overlap_seconds` more, and one that was replaced before ends now, with the
    sessions that were made from the token.
    """
    change, row = await _changing(call, token_id)
    before = TokenShown.of(row)
    token = relay_keys.mint_management()
    overlap_s = DEFAULT_OVERLAP_S if body is None else body.overlap_seconds
    if replace_secret(row, call.parts.hasher, token, overlap_s, change.at_ms):
        await sessions.end_of_token(change.session, row.id)
    row.updated_at_ms = change.at_ms
    shown = TokenShown.of(row)
    change.record("token.rotate", "token", row.id, row.account_id, before=before.model_dump(), after=shown.model_dump())
    return TokenMade(token=token, **shown.model_dump())


@router.delete("/{token_id}", status_code=204)
@asks(Access.MANAGE)
async def delete(call: CallDep, token_id: str) -> None:
    """Revokes the token at once."""
    change, row = await _changing(call, token_id)
    await remove_token(change, row)


async def _changing(call: Call, token_id: str) -> tuple[Change, Token]:
    change = await call.change()
    row = await queries.get(change.session, call.principal, token_id)
    if row is None:
        raise problems.not_found()
    check_rank(call.principal, row.role)
    return change, row
