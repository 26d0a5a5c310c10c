"""A service's life, in a process of its own."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.integration.own_nats import until

PROGRAM = Path(__file__).with_name("service_program.py")
ROOT = Path(__file__).parents[3]


async def start(how: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        how,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ONEAPI_DRAIN_SECONDS": "7", **environment},
    )


async def expect(process: asyncio.subprocess.Process, word: str) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        assert (await process.stdout.readline()).decode().strip() == word


async def end(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_and_stops(number: signal.Signals) -> None:
    process = await start("well")
    await expect(process, "starting")
    await expect(process, "started")
    process.send_signal(number)
    assert await end(process) == (0, "draining 7\nstopped\n", "")


async def test_a_signal_ends_a_start_that_waits() -> None:
    process = await start("slow start")
    await expect(process, "starting")
    process.send_signal(signal.SIGTERM)
    assert await end(process) == (0, "stopped\n", "")


async def test_a_second_signal_ends_at_once() -> None:
    process = await start("slow drain")
    await expect(process, "starting")
    await expect(process, "started")
    process.send_signal(signal.SIGTERM)
    await expect(process, "draining 7")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    status, out, _ = await end(process)
    assert (status, out) == (1, "")
    assert time.monotonic() - began < 2


async def test_a_drain_is_bounded() -> None:
    process = await start("slow drain", ONEAPI_DRAIN_SECONDS="0")
    await expect(process, "starting")
    await expect(process, "started")
    process.send_signal(signal.SIGTERM)
    status, out, err = await end(process)
    assert (status, out) == (0, "draining 0\nstopped\n")
    assert "took too long" in err


@pytest.mark.parametrize("how", ["bad setting", "late setting"])
async def test_a_bad_setting_is_one_sentence(how: str) -> None:
    status, _, err = await end(await start(how))
    assert status == 2
    assert err.splitlines()[-1].startswith("The setting EXAMPLE is ")
    assert len(err.splitlines()) == 1


async def test_a_bad_setting_of_the_lifecycle_is_one_sentence() -> None:
    status, _, err = await end(await start("well", ONEAPI_DRAIN_SECONDS="soon"))
    assert (status, err) == (2, "The setting ONEAPI_DRAIN_SECONDS must be a number.\n")


async def test_a_failing_start_says_why() -> None:
    status, out, err = await end(await start("failing start"))
    assert (status, out) == (1, "stopped\n")
    assert "nobody is there" in err


@pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")
async def test_it_dies_with_its_parent() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"import subprocess, sys; subprocess.run([sys.executable, {str(PROGRAM)!r}, 'parent'])",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ONEAPI_PARENT_DEATH": "1"},
    )
    assert parent.stdout is not None
    async with asyncio.timeout(20):
        child = int(await parent.stdout.readline())
    await expect(parent, "starting")
    await expect(parent, "started")
    parent.kill()
    # uvloop's close waits for ever for a process whose end nobody has seen.
    await parent.wait()
    await until(lambda: _gone(child))


def _gone(pid: int) -> bool:
    """Whether it ended; without anybody to reap it, it may stay as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
