"""Reads the public view from SQL and from what tool servers said last, and knows when it is out of date.

It decides that nobody is shown what was already replaced when they asked: each request looks at the counter of changes,
or waits for a look that began after it came, and one such look serves all that had come before it. While the database
doesn't answer, what was read last is shown: nothing can be changed then. It must not know any document.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from oneapi.catalog.listings import ServerTools
from oneapi.catalog.public.build import public_view
from oneapi.catalog.public.tools import public_tools
from oneapi.catalog.view import CatalogView
from services.admin.clock import now_ms
from services.admin.public.site import Public, Site
from services.admin.publishing import published
from services.admin.store.database import Database, NotPrepared
from services.admin.store.revision import RevisionReader
from services.admin.store.schema import Channel, McpServer, PriceVersion


class PublicReader:
    """The public view, never older than the question. `listings` gives the same object until they change."""

    def __init__(
        self,
        database: Database,
        site: Site,
        listings: Callable[[], Sequence[ServerTools]],
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        self._site = site
        self._listings = listings
        self._clock = clock
        self._revision = RevisionReader(database)
        self._looking: asyncio.Task[Public] | None = None
        self._next: asyncio.Task[Public] | None = None
        self._known: Public | None = None
        self._known_revision = -1
        self._known_listings: Sequence[ServerTools] = ()
        self._peeked: int | None = None

    async def current(self) -> Public:
        """What is public now; the same object as before while nothing has changed.

        Raises what the database raises, until it has answered once.
        """
        revision = self._peeked if self._peeked is not None else self._peek()
        if self._known is not None and revision is not None and self._is_current(revision):
            return self._known
        if self._next is None:
            self._next = asyncio.create_task(self._look_after(self._looking), name="look at the catalog")
        # Shielded: others may wait for the same look.
        return await asyncio.shield(self._next)

    def close(self) -> None:
        """Lets go of the database."""
        self._revision.close()

    def _peek(self) -> int | None:
        # What runs until `_turn_over` was in the loop's queue when this looks, so its request had come before.
        self._peeked = self._revision.peek()
        if self._peeked is not None:
            asyncio.get_running_loop().call_soon(self._turn_over)
        return self._peeked

    def _turn_over(self) -> None:
        self._peeked = None

    def _is_current(self, revision: int) -> bool:
        if self._known is None or revision != self._known_revision or self._listings() is not self._known_listings:
            return False
        changes_at_ms = self._known.view.changes_at_ms
        return changes_at_ms is None or self._clock() < changes_at_ms

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
        revision = await self._revision.read(session)
        known = self._known
        if known is not None and self._is_current(revision):
            return known
        at_ms, listings = self._clock(), self._listings()
        catalog = await _catalog(session, at_ms)
        view = public_view(catalog, public_tools(catalog.mcp_servers, listings), at_ms)
        self._known_revision, self._known_listings = revision, listings
        if known is None or known.view != view:
            self._known = known = Public(site=self._site, view=view)
        return known


async def _catalog(session: AsyncSession, at_ms: int) -> CatalogView:
    channels = {row.id: published.channel(row) for row in await session.scalars(select(Channel))}

    def of(version: PriceVersion) -> tuple[str, str]:
        return version.model, version.channel_id

    versions = sorted(await session.scalars(select(PriceVersion)), key=of)
    prices = {key: published.price(*key, list(group), at_ms) for key, group in groupby(versions, key=of)}
    servers = {row.id: published.mcp_server(row) for row in await session.scalars(select(McpServer))}
    return CatalogView(channels=channels, prices=prices, mcp_servers=servers)
