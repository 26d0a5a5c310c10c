"""Every service can be replaced while requests run: none fails, and what is cut has a true bill."""

import asyncio
import dataclasses
import signal
import threading
import time
from collections.abc import Iterator

import httpx2
import nats.js.errors
import pytest

from oneapi.bus.subjects import BUCKET_STATE
from tests.e2e.gateway import eventually
from tests.replicas.balancer import Traffic, under_load
from tests.replicas.stand import CHAT, EDGES, Stand, body

PLACES = {CHAT: "", "/v1/messages": "-claude", "/v1/responses": ""}
"""Paths, and what the names of their models end in."""
DRAIN_S = 4
ENDS_WITHIN_S = 3.0


def replace(stand: Stand, name: str, *, limit_s: float = 30) -> None:
    """SIGTERM, its end with exit code 0, and a new process that is ready."""
    child = stand.cluster.children[name]
    child.signal(signal.SIGTERM)
    eventually(lambda: child.exit_code() is not None, limit_s)
    assert child.exit_code() == 0, (name, child.last_words())
    if name in EDGES:
        assert not listed(stand, name)
    stand.cluster.run(name)
    stand.cluster.wait(name)


def listed(stand: Stand, edge: str) -> bool:
    """Whether billing would wait for this edge: it takes itself off the list when all of its spool is shipped."""

    async def look() -> bool:
        async with stand.cluster.jetstream() as js:
            bucket = await js.key_value(BUCKET_STATE)
            try:
                await bucket.get(f"edge.{edge}")
            except nats.js.errors.KeyNotFoundError:
                return False
            return True

    return asyncio.run(look())


def test_a_rolling_restart_of_everything_fails_no_request(stand: Stand) -> None:
    stand.channel({"rolled": "play:tokens=12,gap_ms=15"})
    key, identity = stand.key()
    traffic = Traffic([stand.url(edge) for edge in EDGES], key, "rolled")
    with under_load(traffic):
        for name in stand.cluster.services:
            replace(stand, name)
            # As a rollout does: the next goes when the balancer uses the one before.
            before = dict(traffic.by_url)
            eventually(lambda before=before: served_by_all(traffic, before), 20)  # type: ignore[misc]
            assert not traffic.failures, (name, traffic.failures[:5])
    assert not traffic.failures, traffic.failures[:5]
    assert len(traffic.by_url) == len(EDGES)
    eventually(lambda: stand.booked(identity) >= traffic.served, 20)
    assert stand.booked(identity) == traffic.served
    verdict = stand.cluster.verify()
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def served_by_all(traffic: Traffic, before: dict[str, int]) -> bool:
    """Whether every edge has served more than a few since."""
    return all(traffic.by_url.get(url, 0) > before.get(url, 0) + 5 for url in traffic.urls)


@dataclasses.dataclass
class Stream:
    """One stream as its client sees it."""

    path: str
    model: str
    request_id: str = ""
    text: str = ""

    @property
    def tokens(self) -> int:
        return self.text.count('" tok"')


@pytest.fixture
def short_drain(stand: Stand) -> Iterator[Stand]:
    """The first edge has few seconds for its end."""
    replace_with(stand, {"ONEAPI_DRAIN_SECONDS": str(DRAIN_S)})
    yield stand
    if stand.cluster.runs(EDGES[0]):
        stand.cluster.terminate(EDGES[0])


def replace_with(stand: Stand, extra: dict[str, str]) -> None:
    stand.cluster.terminate(EDGES[0])
    stand.cluster.run(EDGES[0], extra)
    stand.cluster.wait(EDGES[0])


def follow(stand: Stand, key: str, stream: Stream) -> None:
    """Reads a stream through the first edge to its end."""
    request = body(stream.model, stream=True)
    if stream.path == "/v1/responses":
        request = {"model": stream.model, "input": "hi", "stream": True}
    headers = {"authorization": f"Bearer {key}"}
    with (
        httpx2.Client(base_url=stand.url(EDGES[0]), headers=headers, timeout=60) as client,
        client.stream("POST", stream.path, json=request) as answer,
    ):
        stream.request_id = answer.headers["x-request-id"]
        for piece in answer.iter_text():
            stream.text += piece


def test_streams_end_with_the_edge_or_before(short_drain: Stand) -> None:
    stand = short_drain
    models = {"ends": "play:tokens=40,gap_ms=25", "endless": "play:tokens=4000,gap_ms=20"}
    stand.channel(models)
    claude = {f"{name}-claude": script for name, script in models.items()}
    stand.channel(claude, provider="anthropic-compatible")
    key, _ = stand.key()
    ending, endless = (
        [Stream(path, model + suffix) for path, suffix in PLACES.items()] for model in ("ends", "endless")
    )
    threads = [threading.Thread(target=follow, args=(stand, key, stream)) for stream in (*ending, *endless)]
    for thread in threads:
        thread.start()
    eventually(lambda: all(stream.tokens for stream in (*ending, *endless)), 20)
    child = stand.cluster.children[EDGES[0]]
    child.signal(signal.SIGTERM)
    began = time.monotonic()
    assert eventually(lambda: stand.readiness(EDGES[0])[1], 1).keys() == {"drain"}
    for thread in threads:
        thread.join(30)
    eventually(lambda: child.exit_code() is not None, 10)
    assert child.exit_code() == 0
    assert time.monotonic() - began < DRAIN_S + ENDS_WITHIN_S
    assert not listed(stand, EDGES[0])
    for stream in ending:
        assert stream.tokens == 40, stream
        assert "The gateway is restarting" not in stream.text
    for stream in endless:
        assert 40 < stream.tokens < 4000, stream
        assert "The gateway is restarting" in stream.text
        assert not any(end in stream.text for end in ("[DONE]", "message_stop", "response.completed"))
    for stream in (*ending, *endless):
        receipt = stand.receipt(EDGES[1], key, stream.request_id)
        assert receipt["usage"]["output"] == stream.tokens, (stream, receipt)
        assert receipt["outcome"] == ("ok" if stream in ending else "upstream_cut")
