"""The background work of rotation: every minute, in each replica; what one has done the others find done.

Decides its order, and tells the log when what depends on a previous secret key has changed. It must not know how
anything is hashed or sealed.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Callable

from sqlalchemy import update

from oneapi.runtime.relay_keys import KeyHasher
from oneapi.runtime.sealing import Sealer
from services.admin.rotation import dependents
from services.admin.rotation.overlaps import end_overlaps
from services.admin.rotation.rewrapping import rewrap_all
from services.admin.store.database import Database
from services.admin.store.schema import Key, Session, Token

logger = logging.getLogger(__name__)

EVERY_S = 60.0


class Rotation:
    """`run` until cancelled."""

    def __init__(self, database: Database, hasher: KeyHasher, sealer: Sealer, wake: Callable[[], None]) -> None:
        self._database = database
        self._hasher = hasher
        self._sealer = sealer
        self._wake = wake
        self._recorded = False
        self._told: dependents.Dependents | None = None

    async def run(self) -> None:
        """Every minute."""
        while True:
            await self.once()
            await asyncio.sleep(EVERY_S)

    async def once(self) -> dependents.Dependents:
        """What there is to do now; what depends on a previous secret key afterwards."""
        if len(self._hasher.versions) == 1 and not self._recorded:
            await self._record_versions()
            self._recorded = True
        if await end_overlaps(self._database) + await rewrap_all(self._database, self._sealer):
            self._wake()
        async with self._database.reading() as session:
            found = await dependents.count(session, self._hasher, self._sealer)
        if len(self._hasher.versions) > 1 and found != self._told:
            self._told = found
            self._tell(found)
        return found

    async def _record_versions(self) -> None:
        """Hashes from before versions were recorded: with one secret key there is only one that they can be of."""
        async with self._database.writing() as session:
            for table in (Key, Token, Session):
                unrecorded = table.hash_version == dependents.UNRECORDED
                await session.execute(update(table).where(unrecorded).values(hash_version=self._hasher.version))

    def _tell(self, found: dependents.Dependents) -> None:
        fields = {name: number for name, number in dataclasses.asdict(found).items() if number}
        if found.total:
            logger.info("some still depend on a previous ONEAPI_SECRET_KEY", extra={"fields": fields})
        else:
            logger.info("nothing depends on a previous ONEAPI_SECRET_KEY: it can be removed")
