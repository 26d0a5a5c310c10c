"""The routes of relay keys.

Decides that a key belongs to one account for life, and that it is in the answer once; only its hash is kept. It must
not know SQL or how keys are published.
"""

from typing import Annotated, Any

from fastapi import Query as QueryParameters

from oneapi.runtime import relay_keys
from oneapi.runtime.ids import new_id
from services.admin.identity.accounts import visible_account
from services.admin.identity.principals import Access
from services.admin.publishing.keys import publish_key
from services.admin.resources.keys import queries
from services.admin.resources.keys.removal import remove_key
from services.admin.resources.keys.schemas import KeyCreate, KeyMade, KeyPatch, KeyRotate, KeyShown, stored
from services.admin.store.changes import Change
from services.admin.store.credentials import DEFAULT_OVERLAP_S, first_secret, replace_secret
from services.admin.store.schema import Key
from services.admin.web import problems
from services.admin.web.call import Call
from services.admin.web.fields import Identity, ListOf, Name, PageQuery, changes
from services.admin.web.routes import CallDep, asks, resource_router

router = resource_router("/api/keys", "keys")


class KeyQuery(PageQuery):
    account_id: Identity | None = None
    user_id: Identity | None = None
    name: Name | None = None


@router.post("", status_code=201)
@asks(Access.MANAGE)
async def create(call: CallDep, body: KeyCreate) -> KeyMade:
    """Makes a relay key and shows it, this once. Clients can use it within a second."""
    change = await call.change()
    account_id = body.account_id or call.principal.account_id
    if await visible_account(change.session, call.principal, account_id) is None:
        raise problems.invalid("account_id", "there is no such account", "unknown_account")
    columns = stored({name: getattr(body, name) for name in KeyPatch.model_fields})
    await _check_references(change, columns, account_id)
    key = relay_keys.mint()
    row = Key(
        id=new_id("key"),
        account_id=account_id,
        **first_secret(call.parts.hasher, key),
        created_at_ms=change.at_ms,
        updated_at_ms=change.at_ms,
        **columns,
    )
    await publish_key(change, row)
    change.session.add(row)
    shown = KeyShown.of(row)
    change.record("key.create", "key", row.id, row.account_id, after=shown.model_dump())
    return KeyMade(key=key, **shown.model_dump())


@router.get("")
@asks(Access.READ)
async def list_keys(call: CallDep, query: Annotated[KeyQuery, QueryParameters()]) -> ListOf[KeyShown]:
    """The keys that the caller may see, newest first."""
    narrowed = {"account_id": query.account_id, "user_id": query.user_id, "name": query.name}
    found = await queries.listed(await call.read(), call.principal, narrowed, query.limit, query.cursor)
    return ListOf(data=[KeyShown.of(row) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/{key_id}")
@asks(Access.READ)
async def get(call: CallDep, key_id: str) -> KeyShown:
    """One key, without the key itself."""
    row = await queries.get(await call.read(), call.principal, key_id)
    if row is None:
        raise problems.not_found()
    return KeyShown.of(row)


@router.patch("/{key_id}")
@asks(Access.MANAGE)
async def patch(call: CallDep, key_id: str, body: KeyPatch) -> KeyShown:
    """Changes the fields that are given."""
    change, row = await _changing(call, key_id)
    columns = stored(changes(body))
    await _check_references(change, columns, row.account_id)
    before = KeyShown.of(row)
    for name, value in columns.items():
        setattr(row, name, value)
    if not call.changed(before, KeyShown.of(row)):
        return before
    row.updated_at_ms = change.at_ms
    await publish_key(change, row)
    shown = KeyShown.of(row)
    change.record("key.update", "key", row.id, row.account_id, before=before.model_dump(), after=shown.model_dump())
    return shown


@router.post("/{key_id}/rotate")
@asks(Access.MANAGE)
async def rotate(call: CallDep, key_id: str, body: KeyRotate | None = None) -> KeyMade:
    """Gives the key another secret and shows it, this once.

    The one that it replaces works for `overlap_seconds` more, and one that was replaced before ends now. Everything
    else stays: id, limits, budgets, what was spent.
    """
    change, row = await _changing(call, key_id)
    before = KeyShown.of(row)
    key = relay_keys.mint()
    overlap_s = DEFAULT_OVERLAP_S if body is None else body.overlap_seconds
    ended = replace_secret(row, call.parts.hasher, key, overlap_s, change.at_ms)
    row.updated_at_ms = change.at_ms
    await publish_key(change, row)
    for digest in ended:
        await change.publish("key", digest, None)
    shown = KeyShown.of(row)
    change.record("key.rotate", "key", row.id, row.account_id, before=before.model_dump(), after=shown.model_dump())
    return KeyMade(key=key, **shown.model_dump())


@router.delete("/{key_id}", status_code=204)
@asks(Access.MANAGE)
async def delete(call: CallDep, key_id: str) -> None:
    """Revokes the key; every edge refuses it within a second."""
    change, row = await _changing(call, key_id)
    await remove_key(change, row)


async def _changing(call: Call, key_id: str) -> tuple[Change, Key]:
    change = await call.change()
    row = await queries.get(change.session, call.principal, key_id)
    if row is None:
        raise problems.not_found()
    return change, row


async def _check_references(change: Change, columns: dict[str, Any], account_id: str) -> None:
    user_id, channels = columns.get("user_id"), columns.get("channels")
    if user_id is not None and not await queries.is_user_of(change.session, user_id, account_id):
        raise problems.invalid("user_id", "there is no such user in the account", "unknown_user")
    if channels and not await queries.all_channels_exist(change.session, channels):
        raise problems.invalid("channels", "there is no such channel", "unknown_channel")
