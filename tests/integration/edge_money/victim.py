"""A process that lives to be killed: it admits requests, streams them, ends them, and says on its output what it did.

Each line is one fact, written after the money path knew of it: `granted <rid>`, `sent <rid> <bytes>`, `ended <rid>
<nano>`. Arguments: NATS URL, Redis URL, spool folder, account id, edge id.
"""

import asyncio
import os
import random
import sys
from pathlib import Path

from oneapi.catalog.types import Account
from services.edge.money.path import Ending, MoneyPath
from tests.integration.edge_money.accounts import RATES, claim, relay_key
from tests.integration.edge_money.edges import edge

CHUNK = 8
STREAMS = 24


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


async def stream(path: MoneyPath, account: Account, draw: random.Random) -> None:
    """One request after the other: some end well, some never reach an upstream, some go on until the kill."""
    key = relay_key(account)
    while True:
        hold = await path.begin(claim(account, key, 100_000))
        say(f"granted {hold.request_id}")
        if draw.random() < 0.1:
            hold.finish(Ending("void"))
            continue
        attempt = hold.attempt("ch_1", "m", price_id="p1", rates=RATES)
        delivered = 0
        for _ in range(draw.randrange(1, 400)):
            delivered += CHUNK
            hold.checkpoint(delivered)
            say(f"sent {hold.request_id} {delivered}")
            if draw.random() < 0.3:
                await asyncio.sleep(0)
        attempt.done(200, "ok")
        usage = {"input": 10, "output": delivered // 4, "per_call": 1}
        charge = hold.finish(Ending("ok", usage, "provider", "p1", RATES, "ch_1", 200, 5))
        say(f"ended {hold.request_id} {charge.amount_nano}")
        await asyncio.sleep(0)


async def main(nats_url: str, redis_url: str, folder: str, account_id: str, edge_id: str) -> None:
    account = Account(id=account_id, name="")
    async with edge(nats_url, redis_url, Path(folder), edge_id) as (path, _):
        await asyncio.gather(*[stream(path, account, random.Random(n)) for n in range(STREAMS)])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
