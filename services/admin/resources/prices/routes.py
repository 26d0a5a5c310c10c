"""The routes of prices: by the id of the model that clients use.

Decides that a price is never edited: PUT and PATCH make a new version. It must not know SQL or how prices are applied.
"""

from typing import Annotated, Any

from fastapi import Query as QueryParameters
from starlette.responses import Response

from oneapi.catalog.entries import price_id
from oneapi.runtime.ids import new_id
from services.admin.clock import instant_text, now_ms
from services.admin.identity.principals import Access
from services.admin.publishing import published
from services.admin.resources.prices import queries
from services.admin.resources.prices.removal import remove_price
from services.admin.resources.prices.schemas import (
    RATE_NAMES,
    PriceGiven,
    PricePatch,
    PriceShown,
    dumped,
    tier_columns,
    window_columns,
)
from services.admin.resources.prices.versions import TooEarly, begin_ms, repeated
from services.admin.store.changes import Change
from services.admin.store.schema import Price, PriceVersion
from services.admin.web import problems
from services.admin.web.call import Call
from services.admin.web.fields import Identity, ListOf, PageQuery, Query, changes, model_id
from services.admin.web.routes import CallDep, asks, resource_router

router = resource_router("/api/prices", "prices")


class PriceQuery(Query):
    channel: Identity | None = None


class PriceListQuery(PageQuery):
    channel: Identity | None = None


@router.get("", response_model_exclude_unset=True)
@asks(Access.READ)
async def list_prices(call: CallDep, query: Annotated[PriceListQuery, QueryParameters()]) -> ListOf[PriceShown]:
    """Prices by model, each with the version in force and those to come."""
    session = await call.read()
    found = await queries.listed(session, call.principal, query.channel, query.limit, query.cursor)
    versions = await queries.versions_of(session, found.rows)
    shown = [
        PriceShown.of(model, channel_id, published.in_force(rows, now_ms()))
        for (model, channel_id), rows in versions.items()
    ]
    return ListOf(data=shown, next_cursor=found.next_cursor)


@router.get("/{model:path}", response_model_exclude_unset=True)
@asks(Access.READ)
async def get(call: CallDep, model: str, query: Annotated[PriceQuery, QueryParameters()]) -> PriceShown:
    """The price of a model, or with `channel` its price on that one."""
    session = await call.read()
    row = await queries.get(session, call.principal, model, query.channel or "")
    if row is None:
        raise problems.not_found()
    versions = await queries.versions(session, row.model, row.channel_id)
    return PriceShown.of(row.model, row.channel_id, published.in_force(versions, now_ms()))


@router.put("/{model:path}", response_model_exclude_unset=True, responses={201: {"model": PriceShown}})
@asks(Access.OPERATE)
async def put(call: CallDep, model: str, body: PriceGiven, response: Response) -> PriceShown:
    """Makes a version of the price, the first with 201. The same one again changes nothing."""
    _check_model(model)
    columns = body.columns()
    if not columns["rates"]:
        raise problems.invalid("input", "a price needs at least one bucket or unit", "price_empty")
    change = await call.change()
    channel_id = body.channel or ""
    if channel_id and not await queries.channel_exists(change.session, channel_id):
        raise problems.invalid("channel", "there is no such channel", "unknown_channel")
    row = await queries.get(change.session, call.principal, model, channel_id)
    versions = await queries.versions(change.session, model, channel_id)
    if row is None:
        row = Price(model=model, channel_id=channel_id, created_at_ms=change.at_ms, revision=0)
        change.session.add(row)
        response.status_code = 201
    elif repeated(versions, columns, body.effective_from, change.at_ms):
        return _unchanged(call, row, versions, change.at_ms)
    return await _new_version(call, change, row, versions, columns, body.effective_from)


@router.patch("/{model:path}", response_model_exclude_unset=True)
@asks(Access.OPERATE)
async def patch(call: CallDep, model: str, body: PricePatch) -> PriceShown:
    """Makes a version that differs from the one in force in the fields that are given."""
    change, row = await _changing(call, model, body.channel or "")
    versions = await queries.versions(change.session, model, row.channel_id)
    latest = published.in_force(versions, change.at_ms)[0]
    given = changes(body)
    rates = {name: given.get(name, latest.rates.get(name)) for name in RATE_NAMES}
    columns = {
        "rates": {name: rate for name, rate in rates.items() if rate is not None},
        "tiers": tier_columns(body.tiers) if "tiers" in given else latest.tiers,
        "windows": window_columns(body.time_windows) if "time_windows" in given else latest.windows,
    }
    if not columns["rates"]:
        raise problems.invalid("input", "a price needs at least one bucket or unit", "price_empty")
    if repeated(versions, columns, body.effective_from, change.at_ms):
        return _unchanged(call, row, versions, change.at_ms)
    return await _new_version(call, change, row, versions, columns, body.effective_from)


@router.delete("/{model:path}", status_code=204)
@asks(Access.OPERATE)
async def delete(call: CallDep, model: str, query: Annotated[PriceQuery, QueryParameters()]) -> None:
    """Deletes the price. Without one, only unlimited accounts' keys without a budget may use the model."""
    change, row = await _changing(call, model, query.channel or "")
    await remove_price(change, row)


async def _changing(call: Call, model: str, channel_id: str) -> tuple[Change, Price]:
    change = await call.change()
    row = await queries.get(change.session, call.principal, model, channel_id)
    if row is None:
        raise problems.not_found()
    return change, row


def _unchanged(call: Call, row: Price, versions: list[PriceVersion], at_ms: int) -> PriceShown:
    shown = PriceShown.of(row.model, row.channel_id, published.in_force(versions, at_ms))
    call.changed(shown, shown)
    return shown


async def _new_version(
    call: Call,
    change: Change,
    row: Price,
    versions: list[PriceVersion],
    columns: dict[str, Any],
    effective_from_ms: int | None,
) -> PriceShown:
    try:
        begins_ms = begin_ms(versions, effective_from_ms, change.at_ms)
    except TooEarly as early:
        since = instant_text(early.in_force_from_ms)
        raise problems.invalid(
            "effective_from", f"must be after {since}, since when a price is in force", "price_in_force"
        ) from early
    now = published.in_force(versions, change.at_ms)
    before = PriceShown.of(row.model, row.channel_id, now) if now else None
    version = PriceVersion(
        id=new_id("prc"),
        model=row.model,
        channel_id=row.channel_id,
        effective_from_ms=begins_ms,
        created_by=call.principal.id,
        created_at_ms=change.at_ms,
        # Its own revision orders versions; the entry's, taken next, is higher than that of any version before.
        revision=row.revision + 1,
        **columns,
    )
    change.session.add(version)
    # A version that begins in this very millisecond counts.
    at_ms = max(change.at_ms, begins_ms if effective_from_ms is None else 0)
    value = published.price(row.model, row.channel_id, [*versions, version], at_ms)
    row.updated_at_ms = change.at_ms
    row.revision = await change.publish("price", price_id(row.model, row.channel_id), value)
    shown = PriceShown.of(row.model, row.channel_id, published.in_force([*versions, version], at_ms))
    call.changed(before, shown)
    change.record(
        "price.update" if versions else "price.create",
        "price",
        row.model,
        before=None if before is None else dumped(before),
        after=dumped(shown),
    )
    return shown


def _check_model(model: str) -> None:
    try:
        model_id(model)
    except ValueError as error:
        raise problems.invalid("model", str(error)) from error
