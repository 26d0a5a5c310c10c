"""The shape of audit entries in the API."""

from typing import Any

from services.admin.clock import instant_text
from services.admin.store.schema import Audit
from services.admin.web.fields import InstantText, Shown


class ActorShown(Shown):
    id: str
    kind: str
    name: str


class AuditShown(Shown):
    """One change. `before` and `after` are the resource as the API shows it, without secrets."""

    id: str
    at: InstantText
    actor: ActorShown
    action: str
    resource: str
    resource_id: str
    account_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str
    trace_id: str | None

    @classmethod
    def of(cls, row: Audit) -> "AuditShown":
        return cls(
            id=row.id,
            at=instant_text(row.created_at_ms),
            actor=ActorShown(id=row.actor_id, kind=row.actor_kind, name=row.actor_name),
            action=row.action,
            resource=row.resource,
            resource_id=row.resource_id,
            account_id=row.account_id or None,
            before=row.before,
            after=row.after,
            request_id=row.request_id,
            trace_id=row.trace_id or None,
        )
