"""A cluster with its clients' keys, load that can be put on it, and a verdict at the end."""

import asyncio
import contextlib
import dataclasses
import itertools
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from nats.js import JetStreamContext

from tests.e2e.gateway import ROOT, UpstreamServer, eventually
from tests.faults import checker, evidence
from tests.faults.cluster import Cluster, quiet
from tests.faults.evidence import Limits, Watch
from tests.faults.load import LEAVING, Asked, Load, in_background

MODELS = {
    "short": "play:tokens=4",
    "long": "play:tokens=24,gap_ms=10",
    "uncounted": "play:tokens=6,usage=0",
    "slow": "play:tokens=4,first_byte_ms=4000",
    "endless": "play:tokens=400,gap_ms=20",
}
ODD_MODELS = {
    "cut": "play:tokens=12,gap_ms=5,cut=6",
    "error-event": "play:tokens=12,error_event=5",
    "malformed": "play:tokens=12,malformed=4",
    "refusing": "play:status=400",
    "failing": "play:status=500",
    "failing-first": "play:tokens=5,fail_first=3",
    "unsaid": "play:tokens=9,usage=0,gap_ms=5",
}
USUAL = ["short", "long", "uncounted"]
# USD per million tokens, and the same in nano-USD per token.
PRICES, RATES = {"input": "2", "output": "8"}, {"input": 2000, "output": 8000}
NANO = 10**9
Result = TypeVar("Result")


@dataclasses.dataclass
class Key:
    """A relay key, and its id."""

    text: str
    id: str


class Stage:
    """Starts everything in its constructor. `keys` are for the usual load: two of them have small budgets, one belongs
    to an account with little credit, and one to the operator's own, which has no credit to check."""

    def __init__(
        self,
        folder: Path,
        root: Path = ROOT,
        *,
        seed: int = 1,
        nats_nodes: int = 1,
        injected: Mapping[str, str] | None = None,
    ) -> None:
        self.seed = seed
        self.asked: list[Asked] = []
        self.keys: list[str] = []
        self.limits = Limits({}, {}, RATES)
        self.upstream = UpstreamServer(folder)
        self.cluster = Cluster(folder, self.upstream.port, root, nats_nodes=nats_nodes, injected=injected)
        self._numbers = itertools.count()
        self._watch: Watch | None = None
        try:
            self.cluster.start()
            self._admin = self.cluster.admin()
            self._configure()
            self._watch = Watch(self.cluster, self.limits)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._watch is not None:
            self._watch.end()
        self.cluster.close()
        self.upstream.stop()

    def create(self, resource: str, **fields: object) -> dict[str, Any]:
        answer = self._admin.post(f"/api/{resource}", json=fields)
        answer.raise_for_status()
        created: dict[str, Any] = answer.json()
        return created

    def account(self, credit_usd: str) -> str:
        """A prepaid account with this credit."""
        account: str = self.create("accounts", name=f"faults-{next(self._numbers)}")["id"]
        answer = self._admin.post(f"/api/accounts/{account}/credits", json={"amount_usd": credit_usd, "reason": "test"})
        answer.raise_for_status()
        credit = int(float(credit_usd) * NANO)
        self.limits.credits[account] = credit
        client = self.cluster.redis()
        eventually(lambda: client.hget(f"b:{{{account}}}", "credits") == str(credit), 30)
        return account

    def key(self, budget_usd: str = "", account: str = "") -> Key:
        """A new key that every edge takes; without an account it is the operator's own."""
        fields: dict[str, object] = {"name": f"k{next(self._numbers)}"}
        if account:
            fields["account_id"] = account
        if budget_usd:
            fields["budget"] = {"amount_usd": budget_usd, "window": "total"}
        made = self.create("keys", **fields)
        if budget_usd:
            self.limits.budgets[made["id"]] = int(float(budget_usd) * NANO)
        if not account:
            self.limits.credits[made["account_id"]] = 0
        headers = {"authorization": f"Bearer {made['key']}"}
        for url in self.cluster.edge_urls():
            eventually(lambda url=url: httpx2.get(f"{url}/v1/models", headers=headers).status_code == 200, 20)  # type: ignore[misc]
        return Key(made["key"], made["id"])

    def _configure(self) -> None:
        self._channel("upstream", MODELS)
        for name, script in ODD_MODELS.items():
            self._channel(name, {name: script})  # what one does must not cool the others
        rich = self.account("1000")
        made = [self.key("0.05" if number < 2 else "100", rich) for number in range(6)]
        made += [self.key("", self.account("0.05")), self.key("100")]
        self.keys = [key.text for key in made]

    def _channel(self, name: str, models: Mapping[str, str]) -> None:
        port = self.cluster.ports["edge-upstream"]
        for suffix, provider, path in (("", "openai-compatible", "/v1"), ("-claude", "anthropic-compatible", "")):
            mapping = {model + suffix: script for model, script in models.items()}
            self.create(
                "channels",
                name=name + suffix,
                provider=provider,
                base_url=f"http://127.0.0.1:{port}{path}",
                api_key="upstream-credential",
                models=list(mapping),
                model_mapping=mapping,
            )
            for model in mapping:
                self._admin.put(f"/api/prices/{model}", json=PRICES).raise_for_status()

    def asks(self, key: str, model: str, *, stream: bool = False, leaves_after: int = 0) -> Asked:
        """One request to come, already on the list of those that are judged."""
        marker = f"s{self.seed}-{next(self._numbers):06d}"
        asked = Asked(marker, key, model, "/v1/chat/completions", stream, leaves_after, time.time())
        self.asked.append(asked)
        return asked

    @contextlib.contextmanager
    def load(
        self,
        keys: list[str] | None = None,
        models: list[str] | None = None,
        *,
        workers: int = 8,
        leaving: float = LEAVING,
        max_tokens: int = 64,
        edges: list[str] | None = None,
        paths: tuple[str, ...] = ("/v1/chat/completions", "/v1/messages"),
    ) -> Iterator[Load]:
        """Clients at work from the first answer on; at the end they finish what they have begun."""
        load = Load(
            edges or self.cluster.edge_urls(),
            keys or self.keys,
            models or USUAL,
            self.seed,
            workers=workers,
            max_tokens=max_tokens,
            leaving=leaving,
            paths=paths,
            numbers=self._numbers,
        )
        clients: threading.Thread = in_background(load)
        try:
            eventually(lambda: any(record.status for record in list(load.records)), 60)
            yield load
        finally:
            load.stop.set()
            clients.join()
            self.asked += load.records

    def judge(self, limit_s: float = 90, *, allowed: tuple[str, ...] = ()) -> checker.Verdict:
        """Waits until all is quiet, and judges everything since the beginning. `allowed` invariants may be broken."""
        assert self._watch is not None
        unsettled = quiet(self.cluster, limit_s)
        found = evidence.gather(self.cluster, self.upstream.record, self._watch, unsettled)
        verdict = checker.judge(found, self.asked, self.limits)
        for invariant in allowed:
            verdict.broken.pop(invariant, None)
            verdict.complaints = [what for what in verdict.complaints if not what.startswith(f"{invariant}: ")]
        return verdict


def answered(load: Load, more: int, limit_s: float = 120) -> None:
    """Waits until so many more requests were answered whole."""
    goal = load.tally().whole + more
    eventually(lambda: load.tally().whole >= goal, limit_s)


def unless(seconds: float, condition: Callable[[], bool]) -> bool:
    """Waits until a condition holds, `seconds` at most; whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def on_bus(stage: Stage, work: Callable[[JetStreamContext], Awaitable[Result]]) -> Result:
    """Does something on the bus, with a connection of its own."""

    async def connected() -> Result:
        async with stage.cluster.jetstream() as js:
            return await work(js)

    return asyncio.run(connected())
