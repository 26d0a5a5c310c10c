"""Counts what still depends on a previous secret key: 0 means that it may be taken away.

Decides what counts: hashes under a previous pepper, or of one that was never recorded, and what is sealed with a
previous key. A hash can only be renewed when its key, token or cookie is used. It must not know how that is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from oneapi.runtime.relay_keys import KeyHasher
from oneapi.runtime.sealing import Sealer
from services.admin.clock import now_ms
from services.admin.store.schema import Channel, Key, McpServer, Replay, Session, Token

UNRECORDED = ""


@dataclass(frozen=True, slots=True)
class Dependents:
    """How many of each kind."""

    keys: int = 0
    tokens: int = 0
    sessions: int = 0
    channels: int = 0
    mcp_servers: int = 0
    replays: int = 0

    @property
    def total(self) -> int:
        return self.keys + self.tokens + self.sessions + self.channels + self.mcp_servers + self.replays


async def count(session: AsyncSession, hasher: KeyHasher, sealer: Sealer) -> Dependents:
    """What depends on the previous secret keys that are configured; zeros without any."""
    if not sealer.previous_beginnings:
        return Dependents()
    versions = [UNRECORDED, *(version for version in hasher.versions if version != hasher.version)]
    live = Session.expires_at_ms > now_ms()
    channels = await session.execute(select(Channel.api_key_sealed, Channel.headers_sealed))
    servers = await session.execute(select(McpServer.auth_sealed, McpServer.headers_sealed))
    replays = or_(*[Replay.body_sealed.startswith(each, autoescape=True) for each in sealer.previous_beginnings])
    return Dependents(
        keys=await _under(session, Key, versions),
        tokens=await _under(session, Token, versions),
        sessions=await session.scalar(select(func.count()).where(Session.hash_version.in_(versions), live)) or 0,
        channels=sum(_depends(sealer, secret, headers) for secret, headers in channels),
        mcp_servers=sum(_depends(sealer, secret, headers) for secret, headers in servers),
        replays=await session.scalar(select(func.count()).select_from(Replay).where(replays)) or 0,
    )


async def _under(session: AsyncSession, table: type[Key | Token], versions: Sequence[str]) -> int:
    """Rows with a secret that counts under one of these peppers."""
    present = table.hash_version.in_(versions)
    before = table.previous_hash_version.in_(versions) & (table.previous_ends_at_ms > now_ms())
    return await session.scalar(select(func.count()).select_from(table).where(or_(present, before))) or 0


def _depends(sealer: Sealer, secret: str, headers: dict[str, str]) -> bool:
    return any(sealer.depends_on_previous(text) for text in (secret, *headers.values()))
