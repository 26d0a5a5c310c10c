"""State as the rest of the edge uses it: one object with its parts, and the begin of each request that uses it.

It decides who gets whom. It must not know how requests are served.
"""

from typing import Any

from nats.aio.client import Client as NatsClient

from oneapi.dialects.canonical.seal import Seal
from oneapi.runtime.sealing import Sealer
from services.edge.state.asked import Asked
from services.edge.state.conversations import Conversations
from services.edge.state.keeping import Keeping
from services.edge.state.past import Past, Pasts
from services.edge.state.responses import Responses
from services.edge.state.store import StateStore


class Keeper:
    """What all accounts have stored."""

    def __init__(self, nats: NatsClient, sealer: Sealer, *, lifetime_s: float, max_bytes: int) -> None:
        self._store = StateStore(nats, sealer, lifetime_s=lifetime_s)
        self._pasts = Pasts(self._store, max_bytes)
        self.conversations = Conversations(self._store, max_bytes)
        self.responses = Responses(self._store, self._pasts)

    async def close(self) -> None:
        """Ends what goes on in the background."""
        await self._store.close()

    async def begin(self, account_id: str, asked: Asked, given: Any, seed: str, seal: Seal) -> tuple[Past, Keeping]:
        """What the request goes on from, and what is to be kept of it. Raises GatewayError 400, 404, 503."""
        past = await self._pasts.load(account_id, asked, given, seed, seal)
        return past, Keeping(self._store, self.conversations, account_id, asked, past, seed)
