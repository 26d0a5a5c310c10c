"""The route that tells how the parts of the gateway are, as far as admin can ask them.

Decides that a part that doesn't answer is part of the answer, never an error. It must not know how a part works.
"""

import asyncio
import dataclasses

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from oneapi.catalog.types import SANDBOX_MODEL
from proto.router.v1 import router_pb2
from services.admin.clock import instant_text, now_ms
from services.admin.identity.principals import Access
from services.admin.parts import Parts
from services.admin.reports.clients import (
    STATUS_DEADLINE_S,
    ReportMissing,
    ReportRefused,
    Reports,
    ReportUnavailable,
)
from services.admin.resources.status.schemas import (
    BillingStatus,
    DatabaseStatus,
    NatsStatus,
    OutboxStatus,
    RouterStatus,
    SecretKeyStatus,
    StatusShown,
)
from services.admin.rotation import dependents
from services.admin.store.schema import Outbox
from services.admin.web.routes import CallDep, asks, resource_router

router = resource_router("/api/status", "status")


@router.get("")
@asks(Access.OPERATE)
async def get(call: CallDep) -> StatusShown:
    """The database, NATS, the outbox, a change of the secret key, billing and the router."""
    parts = call.parts
    outbox, secret_key, billing, picks = await asyncio.gather(
        _outbox(parts), _secret_key(parts), _billing(parts.reports), _router(parts.reports)
    )
    database = DatabaseStatus(
        status="down" if outbox is None else "ok", kind="sqlite" if parts.database.sqlite else "postgresql"
    )
    nats = NatsStatus(status="ok" if parts.bus.connected else "down")
    well = all(part.status == "ok" for part in (database, nats, billing, picks))
    return StatusShown(
        status="ok" if well else "degraded",
        at=instant_text(now_ms()),
        database=database,
        nats=nats,
        outbox=outbox,
        secret_key=secret_key,
        billing=billing,
        router=picks,
    )


async def _outbox(parts: Parts) -> OutboxStatus | None:
    try:
        async with parts.database.reading() as session:
            waiting = select(func.count(), func.min(Outbox.created_at_ms)).where(Outbox.published_at_ms.is_(None))
            count, oldest = (await session.execute(waiting)).one()
    except (SQLAlchemyError, OSError):
        return None
    oldest_at = None if oldest is None else instant_text(oldest)
    return OutboxStatus(waiting=count, oldest_at=oldest_at, publisher=parts.bus.publishes)


async def _secret_key(parts: Parts) -> SecretKeyStatus | None:
    try:
        async with parts.database.reading() as session:
            found = await dependents.count(session, parts.hasher, parts.sealer)
    except (SQLAlchemyError, OSError):
        return None
    previous = len(parts.hasher.versions) - 1
    return SecretKeyStatus(previous=previous, depending=found.total, **dataclasses.asdict(found))


async def _billing(reports: Reports) -> BillingStatus:
    try:
        reply = await reports.billing_status()
    except (ReportUnavailable, ReportRefused, ReportMissing):
        return BillingStatus(status="down")
    return BillingStatus(
        status="ok",
        writer=reply.writer,
        stream_pending=reply.stream_pending,
        dead_letters=reply.dead_letters,
        last_insert_at=instant_text(reply.last_insert_ms) if reply.last_insert_ms else None,
        ledger_rows=reply.ledger_rows,
    )


async def _router(reports: Reports) -> RouterStatus:
    try:
        # It has no status call; any question shows whether it answers, and from which catalog.
        reply = await reports.explain(router_pb2.PickRequest(model=SANDBOX_MODEL, endpoint="chat"), STATUS_DEADLINE_S)
    except (ReportUnavailable, ReportRefused, ReportMissing):
        return RouterStatus(status="down")
    return RouterStatus(status="ok", catalog_revision=reply.catalog_revision)
