"""Which streams count as silent."""

import asyncio
from typing import cast

from services.edge.inference.keep_alive import Silences
from services.edge.upstream.answer import Answer


class Quiet:
    """An answer that counts how often its reader was interrupted."""

    def __init__(self) -> None:
        self.times = 0
        self.changed = asyncio.Event()

    def interrupt(self) -> None:
        self.times += 1
        self.changed.set()

    async def until(self, times: int) -> None:
        async with asyncio.timeout(5):
            while self.times < times:
                self.changed.clear()
                await self.changed.wait()


async def test_a_silent_stream_is_interrupted_again_and_again_until_its_end() -> None:
    silences = Silences(0.01)
    first, second = Quiet(), Quiet()
    listening = silences.listen(cast("Answer", first))
    other = silences.listen(cast("Answer", second))
    await first.until(3)
    listening.end()
    times = first.times
    await second.until(second.times + 2)
    assert first.times == times
    other.end()
    other.end()


async def test_a_stream_that_speaks_is_left_alone() -> None:
    silences = Silences(0.01)
    speaking, silent = Quiet(), Quiet()
    listening, other = silences.listen(cast("Answer", speaking)), silences.listen(cast("Answer", silent))
    for _ in range(3):
        # Both are looked at in the same moment, this one first.
        listening.spoke = True
        await silent.until(silent.times + 1)
    assert speaking.times == 0
    await speaking.until(1)
    listening.end()
    other.end()
