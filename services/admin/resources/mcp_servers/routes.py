"""The routes of MCP servers.

Decides that a server's address is checked when it is configured. It must not know SQL or how a server is called.
"""

from typing import Annotated, Any

from fastapi import Query as QueryParameters

from oneapi.runtime.egress.addresses import EgressRefused
from oneapi.runtime.ids import new_id
from oneapi.runtime.sealing import SealError
from services.admin.identity.principals import Access
from services.admin.publishing import published
from services.admin.resources.mcp_servers import queries
from services.admin.resources.mcp_servers.schemas import (
    McpServerCreate,
    McpServerPatch,
    McpServerShown,
    plain_columns,
)
from services.admin.store.changes import Change
from services.admin.store.schema import McpServer
from services.admin.upstreams import sealed
from services.admin.upstreams.rules import check_address
from services.admin.web import problems
from services.admin.web.call import Call
from services.admin.web.fields import ListOf, Name, PageQuery, changes, last4
from services.admin.web.routes import CallDep, asks, resource_router

router = resource_router("/api/mcp-servers", "mcp-servers")


class McpServerQuery(PageQuery):
    name: Name | None = None


@router.post("", status_code=201)
@asks(Access.OPERATE)
async def create(call: CallDep, body: McpServerCreate) -> McpServerShown:
    """Makes a server. Its tools are offered when it answers."""
    await _check_url(call, body.url)
    change = await call.change()
    server_id = new_id("mcp")
    given = {name: getattr(body, name) for name in McpServerPatch.model_fields}
    row = McpServer(
        id=server_id,
        created_at_ms=change.at_ms,
        updated_at_ms=change.at_ms,
        **plain_columns(given),
        **_sealed_columns(call, server_id, given),
    )
    row.revision = await change.publish("mcp_server", row.id, published.mcp_server(row))
    change.session.add(row)
    shown = McpServerShown.of(row)
    change.record("mcp_server.create", "mcp_server", row.id, after=shown.model_dump())
    return shown


@router.get("")
@asks(Access.OPERATE)
async def list_servers(call: CallDep, query: Annotated[McpServerQuery, QueryParameters()]) -> ListOf[McpServerShown]:
    """The servers, newest first, without their secrets."""
    found = await queries.listed(await call.read(), call.principal, query.name, query.limit, query.cursor)
    return ListOf(data=[McpServerShown.of(row) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/{server_id}")
@asks(Access.OPERATE)
async def get(call: CallDep, server_id: str) -> McpServerShown:
    """One server, without its secrets."""
    row = await queries.get(await call.read(), call.principal, server_id)
    if row is None:
        raise problems.not_found()
    return McpServerShown.of(row)


@router.patch("/{server_id}")
@asks(Access.OPERATE)
async def patch(call: CallDep, server_id: str, body: McpServerPatch) -> McpServerShown:
    """Changes the fields that are given; lists and maps are replaced whole, a null `auth` is removed."""
    given = changes(body)
    if "url" in given:
        await _check_url(call, body.url)
    change, row = await _changing(call, server_id)
    before = McpServerShown.of(row)
    secrets = _changed_secrets(call, row, given)
    for name, value in plain_columns(given).items():
        setattr(row, name, value)
    for name, value in _sealed_columns(call, row.id, {name: given[name] for name in secrets}).items():
        setattr(row, name, value)
    if not call.changed(before, McpServerShown.of(row), secrets):
        return before
    row.updated_at_ms = change.at_ms
    row.revision = await change.publish("mcp_server", row.id, published.mcp_server(row))
    shown = McpServerShown.of(row)
    change.record("mcp_server.update", "mcp_server", row.id, before=before.model_dump(), after=shown.model_dump())
    return shown


@router.delete("/{server_id}", status_code=204)
@asks(Access.OPERATE)
async def delete(call: CallDep, server_id: str) -> None:
    """Deletes the server; its tools are gone within a second."""
    change, row = await _changing(call, server_id)
    await change.publish("mcp_server", row.id, None)
    await change.session.delete(row)
    change.record("mcp_server.delete", "mcp_server", row.id, before=McpServerShown.of(row).model_dump())


async def _changing(call: Call, server_id: str) -> tuple[Change, McpServer]:
    change = await call.change()
    row = await queries.get(change.session, call.principal, server_id)
    if row is None:
        raise problems.not_found()
    return change, row


async def _check_url(call: Call, url: str) -> None:
    try:
        await check_address(url, call.parts.settings.allow_private_upstreams)
    except EgressRefused as refused:
        raise problems.invalid("url", refused.reason, "url_not_allowed") from refused


def _sealed_columns(call: Call, server_id: str, given: dict[str, Any]) -> dict[str, Any]:
    sealer = call.parts.sealer
    columns: dict[str, Any] = {}
    if "auth" in given:
        auth = given["auth"] or ""
        place = sealed.server_auth_place(server_id)
        columns["auth_sealed"] = sealer.seal(auth, bound_to=place) if auth else ""
        columns["auth_last4"] = last4(auth)
    if "headers" in given:
        columns["headers_sealed"] = sealed.seal_server_headers(sealer, server_id, given["headers"])
    return columns


def _changed_secrets(call: Call, row: McpServer, given: dict[str, Any]) -> list[str]:
    """Which of the given secrets differ from the sealed ones; one that can't be opened any more does."""
    sealer = call.parts.sealer
    try:
        auth = sealer.open(row.auth_sealed, bound_to=sealed.server_auth_place(row.id)) if row.auth_sealed else None
        headers = {
            name: sealer.open(value, bound_to=sealed.server_header_place(row.id, name))
            for name, value in row.headers_sealed.items()
        }
    except SealError:
        return [name for name in ("auth", "headers") if name in given]
    present = {"auth": auth, "headers": headers}
    return [name for name, value in present.items() if name in given and given[name] != value]
