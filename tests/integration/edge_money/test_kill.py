"""A process is killed in the middle of its streams, and the next one ends what it had begun, exactly."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from oneapi.runtime.redis_functions import Counters, MoneyFunctions
from tests.integration.edge_money.accounts import RATES, open_account
from tests.integration.edge_money.edges import edge
from tests.integration.edge_money.victim import CHUNK
from tests.servers import unique_name

ROOT = Path(__file__).parents[3]


class Told:
    """What the victim said before it died."""

    def __init__(self) -> None:
        self.granted: set[str] = set()
        self.sent: dict[str, int] = {}
        self.ended: dict[str, int] = {}

    def hear(self, line: bytes) -> None:
        if not line.endswith(b"\n"):
            return  # it died in the middle of the word
        what, rid, *number = line.decode().split()
        if what == "granted":
            self.granted.add(rid)
        elif what == "sent":
            self.sent[rid] = int(number[0])
        else:
            self.ended[rid] = int(number[0])


async def run_and_kill(arguments: list[str], lines: int) -> Told:
    told = Told()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.edge_money.victim",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            for _ in range(lines):
                line = await process.stdout.readline()
                assert line, "it ended by itself"
                told.hear(line)
            os.kill(process.pid, signal.SIGKILL)
            while line := await process.stdout.readline():
                told.hear(line)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return told


@pytest.mark.parametrize("seed", range(3))
async def test_every_request_has_one_exact_end(
    nats_url: str, redis_url: str, functions: MoneyFunctions, tmp_path: Path, seed: int
) -> None:
    account = await open_account(functions, credit=10**12)
    edge_id = unique_name("edge")
    draw = random.Random(seed)
    told = await run_and_kill([nats_url, redis_url, str(tmp_path), account.id, edge_id], draw.randrange(500, 8_000))
    async with edge(nats_url, redis_url, tmp_path, edge_id) as (path, stream):
        assert await path._shipper.drain(20)
        await stream.read()
        events = {event.request_id: event for event in stream.events}
        for rid in told.granted:
            assert rid in events, "no request is lost"
        for event in stream.events:
            assert event == events[event.request_id], "the same id is the same event"
        for rid, amount in told.ended.items():
            assert (events[rid].outcome, events[rid].amount_nano) == ("ok", amount)
        cut = [event for event in events.values() if event.outcome == "recovered"]
        assert cut
        for event in cut:
            delivered = told.sent.get(event.request_id, 0)
            counted = event.usage["output"] * 4
            assert delivered <= counted <= delivered + CHUNK, "what was delivered is billed, and no more was there"
            if delivered:
                exact = 10 * RATES["input"] + event.usage["output"] * RATES["output"] + RATES["per_call"]
                assert event.amount_nano == exact // 1_000
        total = sum(event.amount_nano for event in events.values())
        await functions.post(account.id, 1, total, scopes={}, request_ids=list(events))
        assert (await functions.balances(account.id)).account == Counters(total, 0, 0), "nothing is held any more"
