"""Clients behind a balancer that does what load balancers do: it asks each edge's `/readyz` and uses those that are.

Nothing is asked twice: whatever goes wrong with a request is written down as a failure.
"""

import asyncio
import dataclasses
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import aiohttp

from tests.e2e.gateway import eventually
from tests.replicas.stand import CHAT, body

LOOK_S = 0.1
TIMEOUT = aiohttp.ClientTimeout(total=60)


@dataclasses.dataclass
class Traffic:
    """`workers` clients that ask one after another, every other time for a stream, until `stop` is set."""

    urls: list[str]
    key: str
    model: str
    workers: int = 6
    served: int = 0
    by_url: dict[str, int] = dataclasses.field(default_factory=dict)
    failures: list[str] = dataclasses.field(default_factory=list)
    stop: threading.Event = dataclasses.field(default_factory=threading.Event)
    _ready: list[str] = dataclasses.field(default_factory=list)
    _turn: Iterator[int] = dataclasses.field(default_factory=itertools.count)

    async def run(self) -> None:
        headers = {"authorization": f"Bearer {self.key}"}
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=TIMEOUT, headers=headers, connector=connector) as session:
            await self._look(session)
            looking = asyncio.create_task(self._keep_looking(session))
            await asyncio.gather(*(self._work(session) for _ in range(self.workers)))
            looking.cancel()

    async def _keep_looking(self, session: aiohttp.ClientSession) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self._look(session)

    async def _look(self, session: aiohttp.ClientSession) -> None:
        """Which edges are ready."""
        ready = []
        for url in self.urls:
            with suppress(aiohttp.ClientError, OSError):
                async with session.get(f"{url}/readyz") as answer:
                    ready += [url] * (answer.status == 200)
        self._ready = ready

    async def _work(self, session: aiohttp.ClientSession) -> None:
        while not self.stop.is_set():
            turn = next(self._turn)
            if not self._ready:
                self.failures.append(f"{turn}: no edge is ready")
                await asyncio.sleep(LOOK_S)
                continue
            url = self._ready[turn % len(self._ready)]
            try:
                problem = await self._ask(session, url, body(self.model, stream=turn % 2 == 0))
            except (aiohttp.ClientError, OSError, TimeoutError) as failure:
                problem = repr(failure)
            if problem:
                self.failures.append(f"{turn} at {url}: {problem}")
            else:
                self.served += 1
                self.by_url[url] = self.by_url.get(url, 0) + 1

    @staticmethod
    async def _ask(session: aiohttp.ClientSession, url: str, request: dict[str, Any]) -> str:
        """Asks once; what is wrong with the answer."""
        async with session.post(url + CHAT, json=request) as answer:
            text = await answer.text()
            if answer.status != 200:
                return f"{answer.status} {text[:300]}"
            whole = text.endswith("data: [DONE]\n\n") if request["stream"] else '"usage"' in text
            return "" if whole else f"cut after {text[-300:]}"


@contextmanager
def under_load(traffic: Traffic) -> Iterator[Traffic]:
    """Runs the traffic in a thread of its own, from the first answer on."""
    thread = threading.Thread(target=lambda: asyncio.run(traffic.run()))
    thread.start()
    try:
        eventually(lambda: traffic.served or traffic.failures, 30)
        yield traffic
    finally:
        traffic.stop.set()
        thread.join()
