"""The routes of channels.

Decides that a channel is checked when it is configured: its provider known, its address one that may be called. It must
not know SQL or how a channel is called.
"""

from typing import Annotated, Any

from fastapi import Query as QueryParameters

from oneapi.runtime.egress.addresses import EgressRefused
from oneapi.runtime.ids import new_id
from oneapi.runtime.sealing import SealError
from services.admin.identity.principals import Access
from services.admin.publishing import published
from services.admin.resources.channels import queries
from services.admin.resources.channels.schemas import (
    ChannelCreate,
    ChannelPatch,
    ChannelShown,
    ProbeShown,
    plain_columns,
)
from services.admin.resources.prices.removal import remove_price
from services.admin.store.changes import Change
from services.admin.store.schema import Channel
from services.admin.upstreams import providers, sealed
from services.admin.upstreams.probe import probe
from services.admin.upstreams.rules import check_address
from services.admin.web import problems
from services.admin.web.call import Call
from services.admin.web.fields import ListOf, Name, PageQuery, changes, last4
from services.admin.web.routes import CallDep, asks, resource_router

router = resource_router("/api/channels", "channels")


class ChannelQuery(PageQuery):
    name: Name | None = None


@router.post("", status_code=201)
@asks(Access.OPERATE)
async def create(call: CallDep, body: ChannelCreate) -> ChannelShown:
    """Makes a channel. Routers use it within a second."""
    await _check_base_url(call, body.base_url)
    change = await call.change()
    channel_id = new_id("ch")
    given = {name: getattr(body, name) for name in ChannelPatch.model_fields}
    row = Channel(
        id=channel_id,
        created_at_ms=change.at_ms,
        updated_at_ms=change.at_ms,
        **plain_columns(given),
        **_sealed_columns(call, channel_id, given),
    )
    _check_whole(row)
    row.revision = await change.publish("channel", row.id, published.channel(row))
    change.session.add(row)
    shown = ChannelShown.of(row)
    change.record("channel.create", "channel", row.id, after=shown.model_dump())
    return shown


@router.get("")
@asks(Access.OPERATE)
async def list_channels(call: CallDep, query: Annotated[ChannelQuery, QueryParameters()]) -> ListOf[ChannelShown]:
    """The channels, newest first, without their secrets."""
    found = await queries.listed(await call.read(), call.principal, query.name, query.limit, query.cursor)
    return ListOf(data=[ChannelShown.of(row) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/{channel_id}")
@asks(Access.OPERATE)
async def get(call: CallDep, channel_id: str) -> ChannelShown:
    """One channel, without its secrets."""
    row = await queries.get(await call.read(), call.principal, channel_id)
    if row is None:
        raise problems.not_found()
    return ChannelShown.of(row)


@router.patch("/{channel_id}")
@asks(Access.OPERATE)
async def patch(call: CallDep, channel_id: str, body: ChannelPatch) -> ChannelShown:
    """Changes the fields that are given; `headers` and `limits` are replaced whole, a null `api_key` is removed."""
    given = changes(body)
    await _check_base_url(call, given.get("base_url", ""))
    change, row = await _changing(call, channel_id)
    before = ChannelShown.of(row)
    secrets = _changed_secrets(call, row, given)
    for name, value in plain_columns(given).items():
        setattr(row, name, value)
    for name, value in _sealed_columns(call, row.id, {name: given[name] for name in secrets}).items():
        setattr(row, name, value)
    _check_whole(row)
    if not call.changed(before, ChannelShown.of(row), secrets):
        return before
    row.updated_at_ms = change.at_ms
    row.revision = await change.publish("channel", row.id, published.channel(row))
    shown = ChannelShown.of(row)
    change.record("channel.update", "channel", row.id, before=before.model_dump(), after=shown.model_dump())
    return shown


@router.delete("/{channel_id}", status_code=204)
@asks(Access.OPERATE)
async def delete(call: CallDep, channel_id: str) -> None:
    """Deletes the channel and the prices that hold on it alone."""
    change, row = await _changing(call, channel_id)
    for price in await queries.own_prices(change.session, row.id):
        await remove_price(change, price)
    await change.publish("channel", row.id, None)
    await change.session.delete(row)
    change.record("channel.delete", "channel", row.id, before=ChannelShown.of(row).model_dump())


@router.post("/{channel_id}/test")
@asks(Access.OPERATE)
async def run_test(call: CallDep, channel_id: str) -> ProbeShown:
    """Asks the upstream for its models, with the channel's credential, and says what came of it."""
    row = await queries.get(await call.read(), call.principal, channel_id)
    if row is None:
        raise problems.not_found()
    try:
        api_key, headers = _opened(call, row)
    except SealError as error:
        raise problems.conflict("secret_unreadable", "The secrets can't be opened any more; set them again.") from error
    result = await probe(published.channel(row), api_key, headers, call.parts.dialer)
    return ProbeShown(
        ok=result.ok,
        status=result.status,
        detail=result.detail,
        ms=result.ms,
        models_found=None if result.models is None else len(result.models),
        models_missing=list(result.missing),
    )


async def _changing(call: Call, channel_id: str) -> tuple[Change, Channel]:
    change = await call.change()
    row = await queries.get(change.session, call.principal, channel_id)
    if row is None:
        raise problems.not_found()
    return change, row


async def _check_base_url(call: Call, url: str) -> None:
    if not url:
        return
    try:
        await check_address(url, call.parts.settings.allow_private_upstreams)
    except EgressRefused as refused:
        raise problems.invalid("base_url", refused.reason, "url_not_allowed") from refused


def _check_whole(row: Channel) -> None:
    """What only the fields together can tell."""
    if not row.base_url and not providers.defaults(row.provider).base_url and providers.needs_network(row.provider):
        form = providers.base_url_form(row.provider)
        like = f": {form}" if form else ""
        raise problems.invalid("base_url", f"is required for this provider{like}", "base_url_required")


def _sealed_columns(call: Call, channel_id: str, given: dict[str, Any]) -> dict[str, Any]:
    sealer = call.parts.sealer
    columns: dict[str, Any] = {}
    if "api_key" in given:
        api_key = given["api_key"] or ""
        place = sealed.channel_key_place(channel_id)
        columns["api_key_sealed"] = sealer.seal(api_key, bound_to=place) if api_key else ""
        columns["api_key_last4"] = last4(api_key)
    if "headers" in given:
        columns["headers_sealed"] = sealed.seal_channel_headers(sealer, channel_id, given["headers"])
    return columns


def _opened(call: Call, row: Channel) -> tuple[str, dict[str, str]]:
    """The channel's api_key and headers in clear. Raises SealError."""
    sealer = call.parts.sealer
    place = sealed.channel_key_place(row.id)
    api_key = sealer.open(row.api_key_sealed, bound_to=place) if row.api_key_sealed else ""
    headers = {
        name: sealer.open(value, bound_to=sealed.channel_header_place(row.id, name))
        for name, value in row.headers_sealed.items()
    }
    return api_key, headers


def _changed_secrets(call: Call, row: Channel, given: dict[str, Any]) -> list[str]:
    """Which of the given secrets differ from the sealed ones; one that can't be opened any more does."""
    try:
        api_key, headers = _opened(call, row)
    except SealError:
        return [name for name in ("api_key", "headers") if name in given]
    present = {"api_key": api_key or None, "headers": headers}
    return [name for name, value in present.items() if name in given and given[name] != value]
