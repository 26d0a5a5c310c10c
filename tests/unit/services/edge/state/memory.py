"""A store of records in memory, for tests of what is done with them."""

from collections.abc import Sequence
from typing import cast

from services.edge.state.store import Found, RecordTooLarge, StateConflict, StateStore, StateUnavailable


class MemoryStore:
    """`away`: nothing can be read or written. `rivals`: so many writes come just before one that looks."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], tuple[bytes, int]] = {}
        self.away = False
        self.rivals = 0
        self.lifetime_s = 1_000.0
        self._revision = 0

    @property
    def store(self) -> StateStore:
        return cast("StateStore", self)

    @property
    def connected(self) -> bool:
        return not self.away

    async def read(self, account_id: str, key: str) -> Found | None:
        self._there()
        found = self.records.get((account_id, key))
        return Found(*found, 0.0) if found is not None else None

    async def read_all(
        self, account_id: str, keys: Sequence[str], max_bytes: int, *, renew: bool = False
    ) -> list[Found | None]:
        found = [await self.read(account_id, key) for key in keys]
        if sum(len(one.value) for one in found if one is not None) > max_bytes:
            raise RecordTooLarge
        return found

    async def write(self, account_id: str, key: str, value: bytes, *, last: int | None = None) -> None:
        self._look(account_id, key, last)
        self._revision += 1
        self.records[account_id, key] = (value, self._revision)

    async def delete(self, account_id: str, key: str, *, last: int | None = None) -> None:
        self._look(account_id, key, last)
        self.records.pop((account_id, key), None)

    async def delete_all(self, account_id: str, keys: Sequence[str]) -> None:
        for key in keys:
            await self.delete(account_id, key)

    def _look(self, account_id: str, key: str, last: int | None) -> None:
        self._there()
        if last is not None and self.rivals:
            self.rivals -= 1
            raise StateConflict
        if last is not None and last != self.records.get((account_id, key), (b"", 0))[1]:
            raise StateConflict

    def _there(self) -> None:
        if self.away:
            raise StateUnavailable
