"""Clients that keep their own record: what each asked, what arrived, and whether it was whole.

Each request carries its own marker as client request id and in its text, so that the upstream's record and the ledger
can be joined to it even when no answer came. Some of the streaming clients leave in the middle. A client that is told
503, or whose connection fails, waits before it asks again, and longer each time; one whose key is spent turns to
others.
"""

import asyncio
import collections
import dataclasses
import itertools
import json
import random
import threading
import time
from collections.abc import Iterator, Sequence

import aiohttp

TOKEN = b" tok"
TIMEOUT = aiohttp.ClientTimeout(total=90, sock_connect=5)
STREAMS = 0.6
LEAVING = 0.45
"""Share of the streaming clients that mean to leave; when the answer ends before, they have not left."""
AT_ONCE = -1
"""`leaves_after` of a client that leaves as soon as it has seen the headers."""
LONG = "long"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
SPENT_KEYS_TRIED = 0.02


@dataclasses.dataclass
class Asked:
    """One client's view of one request. `tokens` are those received; `whole` means that the end of it was seen."""

    marker: str
    key: str
    model: str
    path: str
    stream: bool
    leaves_after: int
    began: float
    status: int = 0
    request_id: str = ""
    tokens: int = 0
    whole: bool = False
    left: bool = False
    error: str = ""
    retry_after: str = ""
    took_s: float = 0.0


@dataclasses.dataclass(frozen=True)
class Tally:
    """Counts of one load: `whole`, `cut` and `left` are the answers with status 200."""

    whole: int
    cut: int
    left: int
    streams: int
    refused: dict[int, int]
    unanswered: int

    @property
    def answered(self) -> int:
        return self.whole + self.cut + self.left

    def __str__(self) -> str:
        refused = " ".join(f"{status}:{count}" for status, count in sorted(self.refused.items())) or "none"
        return (
            f"answered {self.whole} whole, {self.cut} cut, {self.left} left by the client (of {self.streams} streams); "
            f"refused {refused}; without an answer {self.unanswered}"
        )


def tally(records: Sequence[Asked]) -> Tally:
    """Counts what became of the requests."""
    answered = [record for record in records if record.status == 200]
    whole = sum(record.whole for record in answered)
    left = sum(record.left for record in answered)
    return Tally(
        whole=whole,
        left=left,
        cut=len(answered) - whole - left,
        streams=sum(record.stream for record in answered),
        refused=dict(collections.Counter(record.status for record in records if record.status not in {0, 200})),
        unanswered=sum(record.status == 0 for record in records),
    )


@dataclasses.dataclass
class Load:
    """`workers` clients at a time against all edges, each with a random key and model, until `stop` is set.

    `numbers` count the markers, which begin with `name`; records are appended to `records` as requests begin.
    """

    urls: list[str]
    keys: list[str]
    models: list[str]
    seed: int
    workers: int = 16
    name: str = "m"
    max_tokens: int = 64
    leaving: float = LEAVING
    paths: Sequence[str] = ("/v1/chat/completions", "/v1/messages")
    numbers: Iterator[int] = dataclasses.field(default_factory=itertools.count)
    records: list[Asked] = dataclasses.field(default_factory=list)
    stop: threading.Event = dataclasses.field(default_factory=threading.Event)
    _spent: set[str] = dataclasses.field(default_factory=set)

    def tally(self) -> Tally:
        return tally(list(self.records))

    async def run(self) -> None:
        async with aiohttp.ClientSession(timeout=TIMEOUT, connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*(self._work(session, worker) for worker in range(self.workers)))

    async def _work(self, session: aiohttp.ClientSession, worker: int) -> None:
        chance = random.Random(self.seed * 1000 + worker)
        pause_s = 0.0
        while not self.stop.is_set():
            asked = self._draw(chance)
            self.records.append(asked)
            await attempt(session, chance.choice(self.urls), asked, self.max_tokens)
            if asked.status == 402:
                self._spent.add(asked.key)
            if asked.status in {200, 402}:
                pause_s = 0.0
            else:
                pause_s = min(max(2 * pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
                await asyncio.sleep(pause_s * chance.uniform(0.5, 1.0))

    def _draw(self, chance: random.Random) -> Asked:
        stream = chance.random() < STREAMS
        leaves = stream and chance.random() < self.leaving
        model = LONG if leaves and LONG in self.models else chance.choice(self.models)
        path = chance.choice(self.paths)
        return Asked(
            marker=f"{self.name}{self.seed}-{next(self.numbers):06d}",
            key=self._key(chance),
            model=model + ("-claude" if path == "/v1/messages" else ""),
            path=path,
            stream=stream,
            leaves_after=chance.randint(1, 16) if leaves else 0,
            began=time.time(),
        )

    def _key(self, chance: random.Random) -> str:
        key = chance.choice(self.keys)
        if key in self._spent and len(self._spent) < len(self.keys) and chance.random() > SPENT_KEYS_TRIED:
            return chance.choice([key for key in self.keys if key not in self._spent])
        return key


async def attempt(session: aiohttp.ClientSession, url: str, asked: Asked, max_tokens: int = 64) -> None:
    """Asks once and files what came of it; never fails."""
    began = time.monotonic()
    try:
        await _ask(session, url, asked, max_tokens)
    except (aiohttp.ClientError, OSError, TimeoutError) as failure:
        asked.error = repr(failure)
    asked.took_s = time.monotonic() - began


async def _ask(session: aiohttp.ClientSession, url: str, asked: Asked, max_tokens: int) -> None:
    body = {
        "model": asked.model,
        "messages": [{"role": "user", "content": asked.marker}],
        "stream": asked.stream,
        "max_tokens": max_tokens,
    }
    headers = {"authorization": f"Bearer {asked.key}", "x-request-id": asked.marker}
    async with session.post(url + asked.path, json=body, headers=headers) as answer:
        asked.status = answer.status
        asked.request_id = answer.headers.get("x-request-id", "")
        asked.retry_after = answer.headers.get("retry-after", "")
        if answer.status != 200:
            asked.error = (await answer.text())[:200]
        elif asked.stream:
            await _read_stream(answer, asked)
        else:
            asked.tokens = (await answer.read()).count(TOKEN)
            asked.whole = True


async def _read_stream(answer: aiohttp.ClientResponse, asked: Asked) -> None:
    if asked.leaves_after == AT_ONCE:
        asked.left = True
        return
    async for line in answer.content:
        if not line.startswith(b"data:"):
            continue
        if b'"error"' in line and b"choices" not in line:
            asked.error = line.decode()[:200]
            return
        asked.tokens += delta_tokens(line)
        if b"[DONE]" in line or b'"message_stop"' in line:
            asked.whole = True
        if asked.leaves_after and asked.tokens >= asked.leaves_after and not asked.whole:
            asked.left = True
            return


def delta_tokens(line: bytes) -> int:
    """Tokens in one data line of a stream."""
    if TOKEN not in line:
        return 0
    event = json.loads(line[5:])
    if "choices" in event:
        return sum((choice["delta"].get("content") or "").count(" tok") for choice in event["choices"])
    return int((event.get("delta") or {}).get("text", "").count(" tok"))


def in_background(load: Load) -> threading.Thread:
    """Runs a load in a thread of its own."""

    def work() -> None:
        asyncio.run(load.run())

    thread = threading.Thread(target=work)
    thread.start()
    return thread
