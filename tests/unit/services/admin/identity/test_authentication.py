from pathlib import Path

import pytest

from oneapi.runtime.relay_keys import KeyHasher
from services.admin.identity.authentication import (
    FIRST_ADMINISTRATOR,
    Authenticator,
    CrossSite,
    Presented,
    Unauthenticated,
)
from services.admin.store.database import Database, NotPrepared, database_url

TOKEN = "first"


@pytest.fixture
def authenticator(tmp_path: Path) -> Authenticator:
    database = Database(database_url(None, tmp_path))
    return Authenticator(database, KeyHasher("secret"), TOKEN, "https://gateway.test/path")


async def test_the_first_administrator_needs_no_database(authenticator: Authenticator) -> None:
    for value in (f"Bearer {TOKEN}", f"bearer {TOKEN}"):
        assert await authenticator.principal(Presented("GET", {"authorization": [value]})) == FIRST_ADMINISTRATOR


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": [""]},
        {"authorization": ["Bearer"]},
        {"authorization": [f"Bearer {TOKEN} "]},
        {"authorization": [f"Bearer  {TOKEN}"]},
        {"authorization": [f"Basic {TOKEN}"]},
        {"authorization": [TOKEN]},
        {"authorization": [f"Bearer {TOKEN}", f"Bearer {TOKEN}"]},
        {"authorization": ["Bearer " + "x" * 600]},
        {"cookie": ["other=1"]},
        {"cookie": ["oneapi_session="]},
    ],
    ids=str,
)
async def test_what_proves_nothing(authenticator: Authenticator, headers: dict[str, list[str]]) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator.principal(Presented("GET", headers))


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, False),
        ({"origin": ["https://evil.test"]}, False),
        ({"origin": ["null"]}, False),
        ({"origin": ["https://gateway.test.evil.test"]}, False),
        ({"origin": ["https://gateway.test"]}, True),
        ({"origin": ["http://localhost:3000"], "host": ["localhost:3000"]}, True),
        ({"origin": ["https://gateway.test", "https://evil.test"]}, False),
        ({"x-oneapi-csrf": ["1"]}, True),
        ({"x-oneapi-csrf": ["1"], "sec-fetch-site": ["cross-site"]}, False),
        ({"origin": ["https://gateway.test"], "sec-fetch-site": ["same-origin"]}, True),
    ],
    ids=str,
)
async def test_a_change_with_a_cookie_comes_from_our_pages(
    authenticator: Authenticator, headers: dict[str, list[str]], ours: bool
) -> None:
    presented = {"cookie": ["a=b; oneapi_session=value"], **headers}
    # Past that check the session is looked up, and this database has no tables.
    with pytest.raises(NotPrepared if ours else CrossSite):
        await authenticator.principal(Presented("POST", presented))
    with pytest.raises(NotPrepared):
        await authenticator.principal(Presented("GET", presented))
