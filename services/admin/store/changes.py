"""One change: its rows, its audit row and what it publishes, all in one transaction.

Decides the order of changes: each takes the revision counter's row lock first, so revisions are given in the order in
which transactions commit. This module must not know HTTP or what a change is about.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from oneapi.bus import subjects
from oneapi.catalog import entries
from oneapi.runtime.ids import new_id
from proto.events.v1.events_pb2 import CreditGranted
from services.admin.clock import now_ms
from services.admin.store.schema import Audit, Counter, Credit, Outbox

MAX_ENTRY = 900_000
"""Bytes of one entry: NATS takes a megabyte, and what it can't take would stop everything behind it."""
REVISION = "revision"
"""The counter whose row is the lock; the first migration makes it."""


class EntryTooLarge(Exception):
    """What should be published is larger than the bus takes."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, and in which request. `traceparent` is empty when the request isn't sampled."""

    id: str
    kind: str
    name: str
    request_id: str = ""
    trace_id: str = ""
    traceparent: str = ""


class Change:
    """A change under way. `session` is in a writing transaction that someone else commits."""

    def __init__(self, session: AsyncSession, author: Author) -> None:
        self.session = session
        self.author = author
        self.at_ms = now_ms()
        self.publishes = False

    @classmethod
    async def begin(cls, session: AsyncSession, author: Author) -> "Change":
        """Takes its place in the order of changes; waits for the one before."""
        await session.execute(select(Counter.value).where(Counter.name == REVISION).with_for_update())
        return cls(session, author)

    def record(
        self,
        action: str,
        resource: str,
        resource_id: str,
        account_id: str = "",
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """Adds the audit row. `before` and `after` are as the API shows the resource: without secrets."""
        self.session.add(
            Audit(
                id=new_id("aud"),
                created_at_ms=self.at_ms,
                actor_id=self.author.id,
                actor_kind=self.author.kind,
                actor_name=self.author.name,
                action=action,
                resource=resource,
                resource_id=resource_id,
                account_id=account_id,
                before=before,
                after=after,
                request_id=self.author.request_id,
                trace_id=self.author.trace_id,
            )
        )

    async def publish(self, kind: str, entry_id: str, value: msgspec.Struct | None) -> int:
        """Puts an entry of the catalog into the outbox; None deletes it. The revision of the entry.

        `entry_id` is the id within its kind: a key's hash, a price's model and channel (`entries.price_id`).
        Raises EntryTooLarge.
        """
        revision = await self._next_revision()
        payload = entries.encode(kind, entry_id, revision, value, self.author.traceparent, self.at_ms)
        if len(payload) > MAX_ENTRY:
            raise EntryTooLarge
        bucket = subjects.BUCKET_KEYS if kind == entries.KEY_KIND else subjects.BUCKET_CATALOG
        await self._post(revision, bucket, entries.kv_key(kind, entry_id), payload)
        return revision

    async def grant(self, credit: Credit) -> None:
        """Adds a credit and puts its event into the outbox; the event's bytes never change again."""
        self.session.add(credit)
        event = CreditGranted(
            event_id=f"topup:{credit.id}",
            credit_id=credit.id,
            account_id=credit.account_id,
            amount_nano=credit.amount_nano,
            reason=credit.reason,
            granted_at_ms=credit.created_at_ms,
            granted_by=credit.granted_by,
        )
        payload = event.SerializeToString(deterministic=True)
        await self._post(await self._next_revision(), subjects.CREDIT, event.event_id, payload)

    async def raise_revision_above(self, revision: int) -> None:
        """Makes every later revision higher than this one: the bus has seen it, from another life of the database."""
        await self.session.execute(
            update(Counter).where(Counter.name == REVISION, Counter.value < revision).values(value=revision)
        )

    async def _next_revision(self) -> int:
        bump = update(Counter).where(Counter.name == REVISION).values(value=Counter.value + 1).returning(Counter.value)
        revision = (await self.session.execute(bump)).scalar_one()
        return int(revision)

    async def _post(self, revision: int, target: str, name: str, payload: bytes) -> None:
        await self.session.execute(
            insert(Outbox).values(
                revision=revision,
                target=target,
                name=name,
                payload=payload,
                traceparent=self.author.traceparent,
                created_at_ms=self.at_ms,
                published_at_ms=None,
            )
        )
        self.publishes = True
