"""The route of the audit: reading only, for who runs the gateway; for others what happened to their account.

It must not know how entries come about.
"""

from typing import Annotated

from fastapi import Query as QueryParameters
from pydantic import Field
from sqlalchemy import select

from services.admin.identity.principals import Access, visible
from services.admin.resources.audit.schemas import AuditShown
from services.admin.store.listing import page
from services.admin.store.schema import Audit
from services.admin.web.fields import ListOf, PageQuery
from services.admin.web.routes import CallDep, asks, resource_router

router = resource_router("/api/audit", "audit")
Word = Annotated[str | None, Field(max_length=300, pattern=r"^[\x20-\x7e]+$")]


class AuditQuery(PageQuery):
    resource: Word = None
    resource_id: Word = None
    action: Word = None
    actor_id: Word = None


@router.get("")
@asks(Access.MANAGE)
async def list_entries(call: CallDep, query: Annotated[AuditQuery, QueryParameters()]) -> ListOf[AuditShown]:
    """Changes, newest first."""
    statement = visible(select(Audit), call.principal, Audit.account_id)
    for column in ("resource", "resource_id", "action", "actor_id"):
        value = getattr(query, column)
        if value is not None:
            statement = statement.where(getattr(Audit, column) == value)
    found = await page(await call.read(), statement, Audit.id, limit=query.limit, cursor=query.cursor)
    return ListOf(data=[AuditShown.of(row) for row in found.rows], next_cursor=found.next_cursor)
