"""Reads the public view from SQL, and knows when it is out of date.

It decides that nobody is shown what was already replaced when they asked: each request waits for a look at the counter
of changes that began after it came, and one look serves all that wait for it. While the database doesn't answer, what
was read last is shown: nothing can be changed then. It must not know any document.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from oneapi.catalog.public.build import public_view
from oneapi.catalog.public.view import PublicTool
from oneapi.catalog.view import CatalogView
from services.admin.clock import now_ms
from services.admin.public.site import Public, Site
from services.admin.publishing import published
from services.admin.store.changes import REVISION
from services.admin.store.database import Database, NotPrepared
from services.admin.store.schema import Channel, Counter, PriceVersion


class PublicReader:
    """The public view, never older than the question. `tools` gives the same object until they change."""

    def __init__(
        self,
        database: Database,
        site: Site,
        tools: Callable[[], Sequence[PublicTool]],
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        self._site = site
        self._tools = tools
        self._clock = clock
        self._looking: asyncio.Task[Public] | None = None
        self._next: asyncio.Task[Public] | None = None
        self._known: Public | None = None
        self._known_revision = -1
        self._known_tools: Sequence[PublicTool] = ()

    async def current(self) -> Public:
        """What is public now; the same object as before while nothing has changed.

        Raises what the database raises, until it has answered once.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._look_after(self._looking), name="look at the catalog")
        # Shielded: others may wait for the same look.
        return await asyncio.shield(self._next)

    async def _look_after(self, before: asyncio.Task[Public] | None) -> Public:
        if before is not None:
            await asyncio.wait({before})
        self._looking, self._next = self._next, None
        try:
            async with self._database.reading() as session:
                return await self._look(session)
        except (SQLAlchemyError, OSError, NotPrepared):
            if self._known is None:
                raise
            return self._known

    async def _look(self, session: AsyncSession) -> Public:
        # The counter first: if something changes between the two, the next look finds a higher one.
        revision = await session.scalar(select(Counter.value).where(Counter.name == REVISION)) or 0
        at_ms, tools = self._clock(), self._tools()
        known = self._known
        if known is not None and revision == self._known_revision and tools is self._known_tools:
            changes_at_ms = known.view.changes_at_ms
            if changes_at_ms is None or at_ms < changes_at_ms:
                return known
        view = public_view(await _catalog(session, at_ms), tools, at_ms)
        self._known_revision, self._known_tools = revision, tools
        if known is None or known.view != view:
            self._known = known = Public(site=self._site, view=view)
        return known


async def _catalog(session: AsyncSession, at_ms: int) -> CatalogView:
    channels = {row.id: published.channel(row) for row in await session.scalars(select(Channel))}

    def of(version: PriceVersion) -> tuple[str, str]:
        return version.model, version.channel_id

    versions = sorted(await session.scalars(select(PriceVersion)), key=of)
    prices = {key: published.price(*key, list(group), at_ms) for key, group in groupby(versions, key=of)}
    return CatalogView(channels=channels, prices=prices)
