"""Background tasks."""

import asyncio
import logging

import pytest

from oneapi.runtime.tasks import Backoff, TaskSet, cancel, heed_cancellation

AT_ONCE = Backoff(0.0, 0.0)


async def test_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise RuntimeError("broken")

    tasks = TaskSet()
    task = tasks.spawn(fail(), "breaks")
    await asyncio.wait({task})
    await asyncio.sleep(0)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert len(tasks) == 0
    await tasks.close()


async def test_close_ends_everything_and_takes_nothing_more() -> None:
    ended: list[str] = []

    async def wait(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(name)

    tasks = TaskSet()
    tasks.spawn(wait("a"), "a")
    tasks.spawn(wait("b"), "b")
    await asyncio.sleep(0)
    await tasks.close()
    await tasks.close()
    assert sorted(ended) == ["a", "b"]
    with pytest.raises(RuntimeError, match="'c'"):
        tasks.spawn(wait("c"), "c")


async def test_a_task_may_close_its_own_set() -> None:
    tasks = TaskSet()
    task = tasks.spawn(tasks.close(), "closes")
    await asyncio.wait_for(task, 1)


async def test_forever_goes_on_after_failures_and_returns(caplog: pytest.LogCaptureFixture) -> None:
    runs = 0
    enough = asyncio.Event()

    async def once() -> None:
        nonlocal runs
        runs += 1
        if runs == 4:
            enough.set()
        if runs % 2:
            raise RuntimeError("broken")

    tasks = TaskSet()
    with caplog.at_level(logging.ERROR):
        tasks.spawn_forever(once, "again", AT_ONCE)
        await asyncio.wait_for(enough.wait(), 5)
    await tasks.close()
    assert "failed and starts again" in caplog.text


async def test_a_swallowed_cancellation_is_heeded_at_the_next_look() -> None:
    looked = asyncio.Event()

    async def loop() -> None:
        while True:
            heed_cancellation()
            try:
                looked.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass  # as asyncio.wait_for of Python 3.11 may do

    task = asyncio.ensure_future(loop())
    await looked.wait()
    await asyncio.wait_for(cancel([task]), 1)
    assert task.cancelled()


async def test_heeding_changes_nothing_without_a_cancellation() -> None:
    heed_cancellation()


def test_delays_grow_to_their_cap_and_never_vanish() -> None:
    backoff = Backoff(0.1, 5.0)
    assert 0.05 <= backoff.delay(1) <= 0.1
    assert 0.1 <= backoff.delay(2) <= 0.2
    for attempt in (7, 100, 10_000):
        assert 2.5 <= backoff.delay(attempt) <= 5.0
