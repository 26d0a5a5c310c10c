"""The stored answers of POSTs that carried an Idempotency-Key, and the claim on a key while its request runs.

An answer is written in the transaction of its effect: there is never one without the other. Two requests with one key
at once are told apart by a claim: within the process by a set, between PostgreSQL replicas by an advisory lock that
ends with the transaction. (SQLite has one writer: the second request waits for it and then finds the answer.)
This module must not know what was asked or answered.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from oneapi.runtime.sealing import Sealer
from services.admin.clock import now_ms
from services.admin.store.schema import Replay

RETENTION_MS = 48 * 3600 * 1000
_FINGERPRINT_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Claimed:
    """A key of one caller, and what it was used for."""

    caller: str
    key: str
    fingerprint: str

    @property
    def place(self) -> str:
        """Where the sealed answer belongs."""
        return place_of(self.caller, self.key)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is replayed: the status and the body's bytes as text. `fingerprint` is of the request that it answers."""

    status: int
    body: str
    fingerprint: str


def place_of(caller: str, key: str) -> str:
    """Where the sealed answer to this caller's key belongs."""
    return f"replay/{caller}/{key}"


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same one. `path` includes the query."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode(), body):
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()


async def find(session: AsyncSession, sealer: Sealer, claimed: Claimed) -> Answer | None:
    """The stored answer of this caller's key, whatever request it was for. Raises SealError."""
    row = await session.get(Replay, (claimed.caller, claimed.key))
    if row is None:
        return None
    opened = sealer.open(row.body_sealed, bound_to=claimed.place)
    return Answer(row.status, opened[_FINGERPRINT_CHARACTERS:], opened[:_FINGERPRINT_CHARACTERS])


def store(session: AsyncSession, sealer: Sealer, claimed: Claimed, status: int, body: str) -> None:
    """Adds the answer to the running transaction."""
    session.add(
        Replay(
            caller=claimed.caller,
            key=claimed.key,
            status=status,
            # Sealed with the answer: by itself it would let whoever has the database guess what the request held.
            body_sealed=sealer.seal(claimed.fingerprint + body, bound_to=claimed.place),
            created_at_ms=now_ms(),
        )
    )


async def lock(session: AsyncSession, claimed: Claimed) -> bool:
    """Claims the key among PostgreSQL replicas until the transaction ends; False when another one has it."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    number = int.from_bytes(hashlib.sha256(claimed.place.encode()).digest()[:8], signed=True)
    taken = await session.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": number})
    return bool(taken.scalar_one())


async def forget_old(session: AsyncSession) -> None:
    """Deletes answers older than the retention."""
    await session.execute(delete(Replay).where(Replay.created_at_ms < now_ms() - RETENTION_MS))
