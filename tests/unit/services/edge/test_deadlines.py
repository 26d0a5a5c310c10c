import asyncio

from services.edge.deadlines import Deadlines


class Work:
    def __init__(self) -> None:
        self.expired = asyncio.Event()

    def expire(self) -> None:
        self.expired.set()


async def test_only_what_is_left_is_told() -> None:
    deadlines = Deadlines(0.01)
    works = [Work() for _ in range(4)]
    for work in works:
        deadlines.add(work)
    deadlines.remove(works[0])
    deadlines.remove(works[0])
    async with asyncio.timeout(5):
        for work in works[1:]:
            await work.expired.wait()
    assert not works[0].expired.is_set()
    deadlines.add(works[0])
    async with asyncio.timeout(5):
        await works[0].expired.wait()


async def test_a_later_one_is_told_later() -> None:
    deadlines = Deadlines(0.02)
    first, second = Work(), Work()
    deadlines.add(first)
    await asyncio.sleep(0)
    deadlines.add(second)
    async with asyncio.timeout(5):
        await first.expired.wait()
        await second.expired.wait()


async def test_what_is_over_may_be_added_again() -> None:
    deadlines = Deadlines(0.01)
    times = 0
    done = asyncio.Event()

    class Again:
        def expire(self) -> None:
            nonlocal times
            times += 1
            if times < 3:
                deadlines.add(self)
            else:
                done.set()

    deadlines.add(Again())
    async with asyncio.timeout(5):
        await done.wait()
    last = Work()
    deadlines.add(last)
    async with asyncio.timeout(5):
        await last.expired.wait()
    assert times == 3
