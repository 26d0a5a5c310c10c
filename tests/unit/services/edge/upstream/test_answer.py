import asyncio
import sys

import pytest

from services.edge.upstream.answer import HttpAnswer, Silent
from services.edge.upstream.failures import UpstreamFailure, broken_answer


class Wire:
    def __init__(self, *parts: bytes) -> None:
        self.parts = list(parts)

    def taken(self) -> None:
        """Nothing more comes."""

    def abort(self) -> None:
        """It is gone."""


async def test_a_whole_answer() -> None:
    answer = HttpAnswer(Wire(b"ab", b"cd"))
    answer.let_go(None)
    assert await answer.read_whole() == b"abcd"


async def test_what_was_read_of_a_failed_answer_is_not_kept() -> None:
    piece = bytes(range(200))
    before = sys.getrefcount(piece)
    wire = Wire(piece)
    answer = HttpAnswer(wire)

    def taken() -> None:
        wire.parts.append(b"x")
        answer.let_go(broken_answer("cut"))

    wire.taken = taken  # type: ignore[method-assign]  # the second piece comes when the first is taken
    with pytest.raises(UpstreamFailure) as failed:
        await answer.read_whole()
    assert sys.getrefcount(piece) == before, failed
    with pytest.raises(UpstreamFailure):
        await HttpAnswer(Wire(b"123")).read_whole(limit=2)


async def test_a_read_that_waits_can_be_interrupted_and_loses_nothing() -> None:
    wire = Wire()
    answer = HttpAnswer(wire)
    answer.interrupt()
    reading = asyncio.create_task(answer.read())
    await asyncio.sleep(0)
    answer.interrupt()
    wire.parts.append(b"ab")
    answer.wake()
    with pytest.raises(Silent):
        await reading
    assert await answer.read() == b"ab"
    answer.let_go(None)
    assert await answer.read() == b""
