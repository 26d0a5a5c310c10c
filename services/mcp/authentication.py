"""Decides who may come in, in one way and with one answer for every kind of bad key.

It must not know what callers ask for.
"""

import time
from dataclasses import dataclass

from oneapi.catalog.feed import CatalogFeed
from oneapi.catalog.keyring import Keyring, find_problem
from oneapi.catalog.types import RelayKey


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, and the name under which it is known."""

    key: RelayKey
    request_id: str


class BadKey(Exception):
    """There is no such key, or it may not be used now or from here. `reason` is for our own counters only."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Authenticator:
    """Checks keys against the buckets; works without edge and admin."""

    def __init__(self, keyring: Keyring, feed: CatalogFeed) -> None:
        self._keyring = keyring
        self._feed = feed

    async def authenticate(self, presented: str, address: str) -> RelayKey:
        """The record of this key ("" for none), used from this address. Raises BadKey, or KeyringUnavailable."""
        key = await self._keyring.lookup(presented)
        problem = find_problem(key, now_ms=time.time_ns() // 1_000_000, ip=address)
        if problem is None and key is not None:
            account = self._feed.view.accounts.get(key.account_id)
            if account is not None and account.enabled:
                return key
            problem = "account"
        raise BadKey(problem or "unknown")
