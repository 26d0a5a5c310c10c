"""What billing reads of the `state` bucket of a real server."""

from nats.js import JetStreamContext

from oneapi.bus.subjects import BUCKET_STATE, STATE_EDGES
from services.billing.state_bucket import OPENED, opened_accounts, registered_edges
from services.edge.money.registry import Entry, deregister, register
from tests.integration.own_nats import connection, js, own_nats

__all__ = ["connection", "js", "own_nats"]


async def test_edges_that_took_themselves_off_are_not_on_it(js: JetStreamContext) -> None:
    assert await registered_edges(js) == set()
    for number in range(120):
        await register(js, Entry(edge_id=f"edge-{number}", epoch="e", started_at_ms=number))
    for number in range(0, 120, 2):
        await deregister(js, f"edge-{number}")
    await register(js, Entry(edge_id="edge-4", epoch="f", started_at_ms=7))
    expected = {f"edge-{number}" for number in range(1, 120, 2)} | {"edge-4"}
    assert await registered_edges(js) == expected


async def test_accounts(js: JetStreamContext) -> None:
    bucket = await js.key_value(BUCKET_STATE)
    await bucket.put(STATE_EDGES + "other", b"{}")
    assert await opened_accounts(js) == set()
    for number in range(30):
        await bucket.create(f"{OPENED}acc_{number}", b"")
    assert await opened_accounts(js) == {f"acc_{number}" for number in range(30)}
