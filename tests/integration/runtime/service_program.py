"""A small service, run by the tests of the lifecycle as a process of its own. Its words go to standard output."""

import asyncio
import os
import sys

from oneapi.runtime import logs
from oneapi.runtime.environment import SettingError
from oneapi.runtime.lifecycle import Service, run

HOW = sys.argv[1]


def say(word: str) -> None:
    """One word for the test, at once."""
    print(word, flush=True)


class Example(Service):
    """Does in each step what the test asked for."""

    name = "example"

    async def start(self) -> None:
        if HOW == "late setting":
            raise SettingError("EXAMPLE", "is wrong")
        if HOW == "failing start":
            raise ConnectionError("nobody is there")
        say("starting")
        if HOW == "slow start":
            await asyncio.Event().wait()
        say("started")

    async def drain(self, limit_s: float) -> None:
        say(f"draining {limit_s:g}")
        if HOW == "slow drain":
            await asyncio.Event().wait()

    async def stop(self) -> None:
        say("stopped")


def make() -> Service:
    if HOW == "bad setting":
        raise SettingError("EXAMPLE", "is required and is not set")
    if HOW == "parent":
        say(str(os.getpid()))
    return Example()


if __name__ == "__main__":
    logs.configure("example", "warning")
    run(make)
