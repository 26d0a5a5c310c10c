import asyncio

import pytest

from services.edge.inference.interruption import Interrupted, Interruption, Reason


async def forever() -> None:
    await asyncio.Event().wait()


async def test_work_that_is_not_stopped() -> None:
    async def work() -> int:
        return 7

    assert await Interruption().guarded(work()) == 7


async def test_stopping_wherever_it_waits() -> None:
    interruption = Interruption()
    asyncio.get_running_loop().call_soon(interruption.stop, Reason.CLIENT_GONE)
    with pytest.raises(Interrupted) as stopped:
        await interruption.guarded(forever())
    assert stopped.value.reason is Reason.CLIENT_GONE
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_stopping_before_it_begins() -> None:
    interruption = Interruption()
    interruption.stop(Reason.SHUTDOWN)
    interruption.stop(Reason.DEADLINE)
    with pytest.raises(Interrupted) as stopped:
        await interruption.guarded(forever())
    assert stopped.value.reason is Reason.SHUTDOWN


async def test_outside_of_guarded_work_nothing_is_cancelled() -> None:
    interruption = Interruption()
    asyncio.get_running_loop().call_soon(interruption.stop, Reason.CLIENT_GONE)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert interruption.reason is Reason.CLIENT_GONE


async def test_somebody_elses_cancellation_stays_one() -> None:
    async def serve() -> None:
        await Interruption().guarded(forever())

    task = asyncio.ensure_future(serve())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_ends_in_the_same_moment() -> None:
    interruption = Interruption()
    done = asyncio.get_running_loop().create_future()

    async def work() -> None:
        await done

    def both() -> None:
        done.set_result(None)
        interruption.stop(Reason.CLIENT_GONE)

    asyncio.get_running_loop().call_soon(both)
    with pytest.raises(Interrupted):
        await interruption.guarded(work())
    await asyncio.sleep(0)
