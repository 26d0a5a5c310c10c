"""The routes of users.

Decides that nobody grants a role above their own, or changes somebody who has one, and that a new role or password
ends the user's sessions. It must not know SQL.
"""

from typing import Annotated

from fastapi import Query as QueryParameters

from oneapi.runtime.ids import new_id
from services.admin.identity import sessions
from services.admin.identity.accounts import visible_account
from services.admin.identity.principals import Access
from services.admin.resources.ranks import check_rank
from services.admin.resources.users import queries
from services.admin.resources.users.removal import remove_user
from services.admin.resources.users.schemas import UserCreate, UserPatch, UserShown
from services.admin.store.changes import Change
from services.admin.store.schema import User
from services.admin.web import problems
from services.admin.web.call import Call
from services.admin.web.fields import Identity, ListOf, PageQuery, changes
from services.admin.web.routes import CallDep, asks, resource_router

router = resource_router("/api/users", "users")


class UserQuery(PageQuery):
    account_id: Identity | None = None


@router.post("", status_code=201)
@asks(Access.MANAGE)
async def create(call: CallDep, body: UserCreate) -> UserShown:
    """Makes a user. The role is at most the caller's own."""
    check_rank(call.principal, body.role)
    password_hash = None if body.password is None else await call.parts.passwords.hash(body.password)
    change = await call.change()
    account_id = body.account_id or call.principal.account_id
    if await visible_account(change.session, call.principal, account_id) is None:
        raise problems.invalid("account_id", "there is no such account", "unknown_account")
    if body.email is not None and await queries.email_taken(change.session, body.email):
        raise problems.conflict("email_taken", "Another user has this e-mail address.")
    row = User(
        id=new_id("usr"),
        account_id=account_id,
        name=body.name,
        email=body.email,
        role=body.role,
        password_hash=password_hash,
        created_at_ms=change.at_ms,
        updated_at_ms=change.at_ms,
    )
    change.session.add(row)
    shown = UserShown.of(row)
    change.record("user.create", "user", row.id, row.account_id, after=shown.model_dump())
    return shown


@router.get("")
@asks(Access.READ)
async def list_users(call: CallDep, query: Annotated[UserQuery, QueryParameters()]) -> ListOf[UserShown]:
    """The users that the caller may see, newest first."""
    found = await queries.listed(await call.read(), call.principal, query.account_id, query.limit, query.cursor)
    return ListOf(data=[UserShown.of(row) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/{user_id}")
@asks(Access.READ)
async def get(call: CallDep, user_id: str) -> UserShown:
    """One user."""
    row = await queries.get(await call.read(), call.principal, user_id)
    if row is None:
        raise problems.not_found()
    return UserShown.of(row)


@router.patch("/{user_id}")
@asks(Access.MANAGE)
async def patch(call: CallDep, user_id: str, body: UserPatch) -> UserShown:
    """Changes the fields that are given. A new role or password ends the user's sessions."""
    given = changes(body)
    if "role" in given:
        check_rank(call.principal, body.role)
    if "password" in given:
        password = given.pop("password")
        given["password_hash"] = None if password is None else await call.parts.passwords.hash(password)
    change, row = await _changing(call, user_id)
    if body.email is not None and await queries.email_taken(change.session, body.email, row.id):
        raise problems.conflict("email_taken", "Another user has this e-mail address.")
    before = UserShown.of(row)
    ends_sessions = "password_hash" in given or given.get("role", row.role) != row.role
    for name, value in given.items():
        setattr(row, name, value)
    if not call.changed(before, UserShown.of(row), {"password"} & body.model_fields_set):
        return before
    row.updated_at_ms = change.at_ms
    if ends_sessions:
        await sessions.end_of_user(change.session, row.id)
    shown = UserShown.of(row)
    change.record("user.update", "user", row.id, row.account_id, before=before.model_dump(), after=shown.model_dump())
    return shown


@router.delete("/{user_id}", status_code=204)
@asks(Access.MANAGE)
async def delete(call: CallDep, user_id: str) -> None:
    """Deletes the user, with their sessions and keys."""
    change, row = await _changing(call, user_id)
    await remove_user(change, row)


async def _changing(call: Call, user_id: str) -> tuple[Change, User]:
    change = await call.change()
    row = await queries.get(change.session, call.principal, user_id)
    if row is None:
        raise problems.not_found()
    check_rank(call.principal, row.role)
    return change, row
