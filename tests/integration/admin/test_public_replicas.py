"""Two replicas of admin on one database: what one changes, the other shows to the very next reader."""

from collections.abc import Callable

from services.admin.public.registry import DOCUMENTS
from tests.integration.admin.gateway import Admin

LIVE = ("/pricing.md", "/api/models/display")


async def revisions(admin: Admin) -> set[str]:
    """Those of all documents; more than one when they are of different states."""
    anyone = admin.speaking_as(None)
    return {(await anyone.get(document.path)).headers["x-catalog-revision"] for document in DOCUMENTS}


async def test_a_change_through_one_is_in_all_documents_of_the_other(make_admin: Callable[..., Admin]) -> None:
    one, other = make_admin(), make_admin()
    await one.open()
    await other.open()
    channel = await one.create("channels", name="main", provider="openai", models=["m"])
    anyone = other.speaking_as(None)
    seen = await revisions(other)
    assert len(seen) == 1
    for number in range(1, 6):
        price = f"{number}.25"
        writer, reader = (one, anyone) if number % 2 else (other, one.speaking_as(None))
        assert (await writer.client.put("/api/prices/m", json={"input": price})).status_code in {200, 201}
        for path in LIVE:
            assert price in (await reader.get(path)).text, path
        now = await revisions(one) | await revisions(other)
        assert len(now) == 1
        assert not now & seen
        seen |= now
    changed = await one.client.patch(f"/api/channels/{channel['id']}", json={"hidden_models": ["m"]})
    assert changed.status_code == 200
    for path in LIVE:
        assert "5.25" not in (await anyone.get(path)).text, path
    assert not await revisions(other) & seen
