"""The lease against a bucket whose answers a test can lose or hold back."""

import asyncio
import contextlib
from dataclasses import dataclass

import nats.errors
import nats.js.errors
import pytest

from oneapi.bus.lease import MARGIN, Lease


@dataclass
class Entry:
    value: bytes
    revision: int


class Bucket:
    """A KV bucket in memory. `lose_answer` writes and then pretends that nothing came back."""

    def __init__(self) -> None:
        self.entry: Entry | None = None
        self.revision = 0
        self.lose_answer = False
        self.down = False
        self.reads = 0

    def _write(self, value: bytes) -> int:
        self.revision += 1
        self.entry = Entry(value, self.revision)
        if self.lose_answer:
            self.lose_answer = False
            raise nats.errors.TimeoutError
        return self.revision

    def _check(self) -> None:
        if self.down:
            raise nats.errors.TimeoutError

    async def get(self, key: str) -> Entry:
        self.reads += 1
        self._check()
        if self.entry is None:
            raise nats.js.errors.KeyNotFoundError
        return self.entry

    async def create(self, key: str, value: bytes) -> int:
        self._check()
        if self.entry is not None:
            raise nats.js.errors.KeyWrongLastSequenceError
        return self._write(value)

    async def update(self, key: str, value: bytes, last: int) -> int:
        self._check()
        if self.entry is None or self.entry.revision != last:
            raise nats.js.errors.KeyWrongLastSequenceError
        return self._write(value)

    async def delete(self, key: str, last: int) -> bool:
        self._check()
        assert self.entry is not None
        assert self.entry.revision == last
        self.entry = None
        return True


class Clock:
    """Monotonic time, moved by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.script: list[object] = []

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("oneapi.bus.lease.time.monotonic", made.monotonic)
    return made


def lease(bucket: Bucket, holder: str) -> Lease:
    return Lease(bucket, "writer", holder, 10.0)  # type: ignore[arg-type] # it has what a lease asks of a bucket


async def step(one: Lease, clock: Clock) -> None:
    """One turn of the loop in `run`."""
    began = clock.now
    with contextlib.suppress(nats.errors.Error):
        await (one._renew(began) if one.held else one._try_to_take(began))
    one._tell()


async def test_a_lost_answer_to_a_renewal_loses_nothing_and_gains_nothing(clock: Clock) -> None:
    bucket = Bucket()
    one = lease(bucket, "a")
    await step(one, clock)
    assert one.held
    generation, until = one.generation, one._until
    bucket.lose_answer = True
    clock.now += 3
    await step(one, clock)
    await step(one, clock)
    assert one._until == until
    await step(one, clock)
    assert one.held
    assert one.generation == generation
    assert one._until == clock.now + 10 * (1 - MARGIN)


async def test_a_candidate_waits_for_a_whole_lease_without_a_beat(clock: Clock) -> None:
    bucket = Bucket()
    holder, candidate = lease(bucket, "a"), lease(bucket, "b")
    await step(holder, clock)
    # The last write of the holder is seen at once, the worst case for it.
    await step(candidate, clock)
    for _ in range(99):
        clock.now += 0.1
        await step(candidate, clock)
        assert not (holder.held and candidate.held)
        assert not candidate.held
    assert not holder.held
    clock.now += 0.11
    await step(candidate, clock)
    assert candidate.held
    assert candidate.generation > 1


async def test_a_beat_starts_the_wait_again(clock: Clock) -> None:
    bucket = Bucket()
    holder, candidate = lease(bucket, "a"), lease(bucket, "b")
    await step(holder, clock)
    for _ in range(50):
        await step(candidate, clock)
        clock.now += 2
        await step(holder, clock)
        assert holder.held
        assert not candidate.held


async def test_a_slow_answer_counts_from_its_asking(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket()
    one = lease(bucket, "a")
    create = bucket.create

    async def slow(key: str, value: bytes) -> int:
        revision = await create(key, value)
        clock.now += 4
        return revision

    monkeypatch.setattr(bucket, "create", slow)
    began = clock.now
    await step(one, clock)
    assert one._until == began + 7.5


async def test_an_outage_ends_the_lease_by_itself(clock: Clock) -> None:
    bucket = Bucket()
    changes: list[bool] = []
    one = lease(bucket, "a")
    one.on_change = changes.append
    await step(one, clock)
    bucket.down = True
    clock.now += 7.4
    await step(one, clock)
    held_before = one.held
    clock.now += 0.2
    assert (held_before, one.held) == (True, False)
    assert one.generation == 0
    await step(one, clock)
    assert changes == [True, False]


async def test_a_lease_deleted_by_hand_is_lost_at_the_next_beat(clock: Clock) -> None:
    bucket = Bucket()
    one = lease(bucket, "a")
    await step(one, clock)
    bucket.entry = None
    await step(one, clock)
    assert not one.held


async def test_the_same_holder_in_another_process_is_another(clock: Clock) -> None:
    bucket = Bucket()
    first, second = lease(bucket, "same"), lease(bucket, "same")
    await step(first, clock)
    await step(second, clock)
    assert first.held
    assert not second.held


async def test_ending_gives_it_back() -> None:
    bucket = Bucket()
    one = lease(bucket, "a")
    task = asyncio.ensure_future(one.run())
    for _ in range(20):
        await asyncio.sleep(0)
    held_before = one.held
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (held_before, one.held) == (True, False)
    assert bucket.entry is None


def test_a_lease_needs_a_time() -> None:
    with pytest.raises(ValueError, match="time"):
        Lease(Bucket(), "writer", "a", 0)  # type: ignore[arg-type] # it has what a lease asks of a bucket


async def test_a_record_that_cannot_be_read_does_not_end_the_asking() -> None:
    bucket = Bucket()
    bucket._write(b'{"holder":"\xff"}')
    one = Lease(bucket, "writer", "a", 0.2)  # type: ignore[arg-type] # it has what a lease asks of a bucket
    running = asyncio.create_task(one.run())
    asked = bucket.reads
    async with asyncio.timeout(5):
        while bucket.reads < asked + 3 and not running.done():  # noqa: ASYNC110 - a bucket has no event
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
