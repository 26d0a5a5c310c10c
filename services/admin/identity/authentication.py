"""Who a request is from: a management token, or a console session.

Decides what proves an identity, and that every failure looks the same. A relay key proves nothing here. With a cookie,
a request that changes something must also show that our own pages sent it. This module must not know what the request
asks for.
"""

import hmac
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import cookie_parser

from oneapi.catalog.types import OPERATOR_ACCOUNT_ID
from oneapi.runtime.relay_keys import KeyHasher, well_formed_management
from services.admin.clock import now_ms
from services.admin.identity import sessions
from services.admin.identity.principals import Principal, Role
from services.admin.store import credentials
from services.admin.store.database import Database
from services.admin.store.schema import Token

logger = logging.getLogger(__name__)

COOKIE = "oneapi_session"
CSRF_HEADER = "x-oneapi-csrf"
MAX_CREDENTIAL = 512
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FIRST_ADMINISTRATOR = Principal(
    id="first_administrator",
    kind="first_administrator",
    name="first administrator",
    account_id=OPERATOR_ACCOUNT_ID,
    role=Role.OWNER,
)


class Unauthenticated(Exception):
    """No credential, or one that proves nothing. Never says which."""


class CrossSite(Exception):
    """A cookie came with a change that another site's page may have sent."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request shows of itself. `headers` has every value of each name, names in lower case."""

    method: str
    headers: Mapping[str, Sequence[str]]

    def values(self, name: str) -> Sequence[str]:
        return self.headers.get(name, ())


class Authenticator:
    """Finds the principal of a request. `public_url` is where our own pages come from."""

    def __init__(self, database: Database, hasher: KeyHasher, admin_token: str, public_url: str) -> None:
        self._database = database
        self._hasher = hasher
        self._first_hashes = hasher.hashes(admin_token)
        self._public_origin = _origin(public_url)

    @property
    def first_hash(self) -> str:
        """The hash of ONEAPI_ADMIN_TOKEN."""
        return self._first_hashes[0]

    async def principal(self, presented: Presented) -> Principal:
        """The caller. Raises Unauthenticated or CrossSite."""
        authorizations = presented.values("authorization")
        if authorizations:
            if len(authorizations) > 1:
                raise Unauthenticated
            scheme, _, token = authorizations[0].partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthenticated
            return await self.of_token(token)
        cookie = _cookie(presented.values("cookie"))
        if cookie is None:
            raise Unauthenticated
        if presented.method not in SAFE_METHODS and not self._from_our_pages(presented):
            raise CrossSite
        hashes = self._hasher.hashes(cookie)
        async with self._database.reading() as session:
            row = await sessions.find(session, hashes)
            found = (
                None if row is None else await sessions.resume(session, row, FIRST_ADMINISTRATOR, self._first_hashes)
            )
        if row is None or found is None:
            raise Unauthenticated
        if row.hash != hashes[0]:
            await self._rehash(row.hash, hashes[0])
        return found

    async def of_token(self, token: str) -> Principal:
        """The principal of a management token. Raises Unauthenticated."""
        if not token or len(token) > MAX_CREDENTIAL:
            raise Unauthenticated
        hashes = self._hasher.hashes(token)
        if hmac.compare_digest(hashes[0], self.first_hash):
            return FIRST_ADMINISTRATOR
        if not well_formed_management(token):
            raise Unauthenticated
        async with self._database.reading() as session:
            row = await session.scalar(select(Token).where(credentials.presents(Token, hashes, now_ms())))
            principal = None if row is None else await sessions.token_principal(session, row)
        if row is None or principal is None:
            raise Unauthenticated
        if hashes[0] not in {row.hash, row.previous_hash}:
            await self._rehash(row.hash if row.hash in hashes else row.previous_hash or "", hashes[0])
        return principal

    async def _rehash(self, old_hash: str, new_hash: str) -> None:
        """Files a token or session under the current pepper. If that fails, its next use tries again."""
        try:
            async with self._database.writing() as session:
                await credentials.rehash(session, old_hash, new_hash, self._hasher.version, self._first_hashes)
        except (SQLAlchemyError, OSError) as failure:
            logger.warning("a credential keeps its old hash", extra={"fields": {"why": type(failure).__name__}})

    def _from_our_pages(self, presented: Presented) -> bool:
        if "cross-site" in presented.values("sec-fetch-site"):
            return False
        # A page of another origin can't add this header without our consent (CORS), which we never give.
        if presented.values(CSRF_HEADER):
            return True
        origins = presented.values("origin")
        if len(origins) != 1:
            return False
        hosts = presented.values("host")
        return origins[0] == self._public_origin or (len(hosts) == 1 and urlsplit(origins[0]).netloc == hosts[0])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _cookie(values: Sequence[str]) -> str | None:
    for value in values:
        cookie = cookie_parser(value).get(COOKIE)
        if cookie is not None and 0 < len(cookie) <= MAX_CREDENTIAL:
            return cookie
    return None
