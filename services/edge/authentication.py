"""Turns a credential into the key and the account that a request is made with.

It decides who may come in, in one way and with one answer for every kind of bad key. It must not know what they ask
for.
"""

import functools
import time

import msgspec

from oneapi.catalog.feed import CatalogFeed
from oneapi.catalog.keyring import Keyring, KeyringUnavailable, find_problem
from oneapi.catalog.types import Account, RelayKey
from oneapi.catalog.view import CatalogView
from oneapi.runtime import semconv
from oneapi.runtime.door import refusals as of_door
from oneapi.runtime.door.failures import FailureLimiter
from oneapi.runtime.door.source import source_of
from oneapi.runtime.metrics import counter
from services.edge import refusals

FAILURES = counter(semconv.METRIC_AUTH_FAILURES, "Requests with a bad API key, by what was wrong with it", ("reason",))
_failures = functools.cache(FAILURES.labels)


class Caller(msgspec.Struct, frozen=True):
    """Who makes a request, and the configuration that it is decided by from here to its end."""

    key: RelayKey
    account: Account
    view: CatalogView


class Authenticator:
    """Checks credentials against the keys and accounts that this process knows."""

    def __init__(self, keyring: Keyring, feed: CatalogFeed, limiter: FailureLimiter) -> None:
        self._keyring = keyring
        self._feed = feed
        self._limiter = limiter

    async def authenticate(self, credential: str, address: str) -> Caller:
        """Who presents this credential ("" for none) from this address. Raises GatewayError 401, 429 or 503."""
        try:
            key = await self._keyring.lookup(credential)
        except KeyringUnavailable:
            raise refusals.keys_unavailable() from None
        problem = find_problem(key, now_ms=time.time_ns() // 1_000_000, ip=address)
        view = self._feed.view
        account = view.accounts.get(key.account_id) if key is not None else None
        if problem is None and (account is None or not account.enabled):
            problem = "account"
        if problem is None and key is not None and account is not None:
            return Caller(key, account, view)
        _failures(problem).inc()
        wait_s = self._limiter.strike(source_of(address), time.monotonic())
        raise of_door.too_many_failures(wait_s) if wait_s > 0 else refusals.unauthenticated()
