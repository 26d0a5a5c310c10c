"""The leader lease, on a real server."""

import asyncio
import time

from nats.aio.client import Client
from nats.js import JetStreamContext

from oneapi.bus.lease import Lease
from oneapi.runtime.connections import connect_nats
from oneapi.runtime.tasks import TaskSet
from tests.integration.own_nats import OwnNats, until


class Candidate:
    """A lease that runs in the background, and the changes that it told."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.changes: list[bool] = []
        lease.on_change = self.changes.append
        self._tasks = TaskSet()

    def start(self) -> "Candidate":
        self._tasks.spawn(self.lease.run(), "lease")
        return self

    async def stop(self) -> None:
        await self._tasks.close()


async def candidate(js: JetStreamContext, holder: str, ttl_s: float = 1.0) -> Candidate:
    return Candidate(Lease(await js.key_value("state"), "billing", holder, ttl_s)).start()


async def test_one_holds_and_the_next_follows_with_a_higher_generation(js: JetStreamContext) -> None:
    first = await candidate(js, "a", 2.0)
    await until(lambda: first.lease.held)
    second = await candidate(js, "b", 2.0)
    generation = first.lease.generation
    began = time.monotonic()
    while time.monotonic() - began < 2.5:
        assert first.lease.held
        assert not second.lease.held
        await asyncio.sleep(0.02)
    assert first.lease.generation == generation
    await first.stop()
    assert not first.lease.held
    await until(lambda: second.lease.held)
    assert second.lease.generation > generation
    assert first.changes == [True, False]
    assert second.changes == [True]
    await second.stop()


async def test_a_lease_given_back_is_free_at_once(js: JetStreamContext) -> None:
    first = await candidate(js, "a", ttl_s=60)
    await until(lambda: first.lease.held)
    second = await candidate(js, "b", ttl_s=60)
    await first.stop()
    # Far sooner than its end.
    await until(lambda: second.lease.held, limit_s=15)
    await second.stop()


async def test_a_holder_cut_off_stops_before_another_may_begin(js: JetStreamContext, own_nats: OwnNats) -> None:
    first = await candidate(js, "a")
    await until(lambda: first.lease.held)
    own_nats.kill()
    await until(lambda: not first.lease.held, limit_s=1.0)
    assert first.lease.generation == 0
    own_nats.start()
    await until(lambda: first.lease.held, limit_s=10)
    assert first.changes == [True, False, True]
    await first.stop()


async def test_a_silent_holder_is_followed_and_learns_of_it(js: JetStreamContext, own_nats: OwnNats) -> None:
    other = await connect_nats(own_nats.url, "other")
    first = await candidate(other.jetstream(), "a", ttl_s=0.8)
    await until(lambda: first.lease.held)
    generation = first.lease.generation
    second = await candidate(js, "b", ttl_s=0.8)
    both = 0
    # Its process hangs: nothing of it runs, and its own clock goes on.
    task = next(iter(first._tasks._tasks))
    task.cancel()
    first.lease._give_back = _nothing  # type: ignore[method-assign] # a hanging process gives nothing back
    began = time.monotonic()
    while not second.lease.held:
        assert time.monotonic() - began < 10
        await asyncio.sleep(0.005)
        both += first.lease.held and second.lease.held
    assert both == 0
    assert not first.lease.held
    assert second.lease.generation > generation
    await second.stop()
    await first.stop()
    await other.close()


async def _nothing() -> None:
    return


async def test_many_candidates_never_hold_together(js: JetStreamContext, connection: Client) -> None:
    candidates = [await candidate(js, f"c{number}", ttl_s=0.5) for number in range(5)]
    generations: list[int] = []
    for _ in range(3):
        await until(lambda: any(one.lease.held for one in candidates))
        holders = [one for one in candidates if one.lease.held]
        assert len(holders) == 1
        generations.append(holders[0].lease.generation)
        await holders[0].stop()
        candidates.remove(holders[0])
    assert generations == sorted(set(generations))
    for one in candidates:
        await one.stop()
