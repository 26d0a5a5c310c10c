"""`make bench-auth`: what a bad key costs, and whether its kind can be told from the time that it takes.

A real edge gets keys that were revoked, that nobody ever made, that are malformed and that have expired, in a random
order, each from another network, so that nobody is slowed down for failing. Writes .bench/authentication.json: medians
of the client's time for each kind and the largest difference between two of them, on one connection; and the edge's CPU
time for each failure, there and where eight connections hurry, as somebody would who guesses.
"""

import argparse
import contextlib
import itertools
import json
import random
import secrets
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from oneapi.runtime.relay_keys import mint
from tests.bench.bench import edge_of
from tests.bench.machine import EVERYTHING_ELSE, SYSTEM_UNDER_TEST, cpu_seconds, pin
from tests.bench.programs import BUILD
from tests.e2e.gateway import Gateway, eventually

REQUESTS_EACH = 20_000
WARM_EACH = 1_000
HURRYING = 8
KNOWN = 50
"""Revoked and expired keys are so many different ones."""
MAX_SPREAD_US = 50
MAX_CPU_US = 150
BODY = b'{"model":"sandbox","messages":[{"role":"user","content":"hi"}]}'
REFUSED = b"HTTP/1.1 401 "
Makers = dict[str, Callable[[], str]]


class Connection:
    """One kept connection, read as far as it takes to know where an answer ends."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[bytes, int]:
        """The answer, and the nanoseconds that it took."""
        began = time.perf_counter_ns()
        self.send(request)
        return self.receive(), time.perf_counter_ns() - began

    def send(self, request: bytes) -> None:
        self._socket.sendall(request)

    def receive(self) -> bytes:
        answer = self._socket.recv(65_536)
        while not _whole(answer):
            more = self._socket.recv(65_536)
            if not more:
                raise ConnectionError(f"the edge closed after {answer!r}")
            answer += more
        return answer


def _whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return len(body) >= int(length)


def _request(key: str, source: int) -> bytes:
    address = f"{11 + (source >> 16) % 100}.{(source >> 8) & 255}.{source & 255}.1"
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n"
        f"x-forwarded-for: {address}\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY


def _malformed() -> str:
    """Of a key's length and characters, with a wrong checksum."""
    key = mint()
    return key[:-1] + ("0" if key[-1] != "0" else "1")


def _makers(gateway: Gateway) -> Makers:
    """How to come by a bad key of each kind."""
    revoked, expired = [], []
    for number in range(KNOWN):
        made = gateway.create("keys", name=f"revoked {number}")
        gateway.admin.delete(f"/api/keys/{made['id']}").raise_for_status()
        revoked.append(made["key"])
        expired.append(gateway.create("keys", name=f"expired {number}", expires_at="2020-01-01T00:00:00Z")["key"])
    revoked_ones, expired_ones = itertools.cycle(revoked), itertools.cycle(expired)
    return {
        "revoked": lambda: next(revoked_ones),
        "unknown": mint,
        "malformed": _malformed,
        "expired": lambda: next(expired_ones),
    }


def _shuffled(makers: Makers, each: int, sources: Iterator[int]) -> list[tuple[str, bytes]]:
    """Requests in a random order, all of one length."""
    asked = [(kind, _request(make(), next(sources))) for kind, make in makers.items() for _ in range(each)]
    random.SystemRandom().shuffle(asked)
    return asked


def measure(gateway: Gateway, edge: int, each: int) -> dict[str, object]:
    """The figures."""
    makers = _makers(gateway)
    # A prime step visits every network once before any a second time.
    sources = (start * 7_919 % 2**22 for start in itertools.count(secrets.randbelow(2**20)))
    connection = Connection(gateway.port)
    for _, request in _shuffled(makers, WARM_EACH, sources):
        connection.ask(request)
    asked = _shuffled(makers, each, sources)
    taken: dict[str, list[int]] = {kind: [] for kind in makers}
    before_s = cpu_seconds(edge)
    for kind, request in asked:
        answer, ns = connection.ask(request)
        assert answer.startswith(REFUSED), answer
        taken[kind].append(ns)
    one_by_one_s = cpu_seconds(edge) - before_s
    asked = _shuffled(makers, each, sources)
    before_s = cpu_seconds(edge)
    _hurry([Connection(gateway.port) for _ in range(HURRYING)], [request for _, request in asked])
    hurried_s = cpu_seconds(edge) - before_s
    medians = {kind: statistics.median(values) / 1_000 for kind, values in taken.items()}
    return {
        "requests_each": each,
        "median_us": {kind: round(value, 1) for kind, value in medians.items()},
        "spread_us": round(max(medians.values()) - min(medians.values()), 1),
        "cpu_us_per_failure": round(hurried_s * 1_000_000 / len(asked), 1),
        "cpu_us_per_failure_one_by_one": round(one_by_one_s * 1_000_000 / len(asked), 1),
    }


def _hurry(connections: list[Connection], requests: list[bytes]) -> None:
    """Each connection has a request under way."""
    for start in range(0, len(requests), len(connections)):
        together = list(zip(connections, requests[start : start + len(connections)], strict=False))
        for connection, request in together:
            connection.send(request)
        for connection, _ in together:
            answer = connection.receive()
            assert answer.startswith(REFUSED), answer


def judge(figures: dict[str, object]) -> list[str]:
    """What does not hold."""
    wrong = []
    if float(str(figures["spread_us"])) > MAX_SPREAD_US:
        wrong.append(f"the kinds of bad keys differ by more than {MAX_SPREAD_US} us")
    if float(str(figures["cpu_us_per_failure"])) > MAX_CPU_US:
        wrong.append(f"a failure costs more than {MAX_CPU_US} us of CPU")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS_EACH, help="of each kind")
    each = parser.parse_args().requests
    with contextlib.ExitStack() as clean_up:
        folder = Path(clean_up.enter_context(tempfile.TemporaryDirectory(prefix="oneapi-authentication-")))
        gateway = Gateway(folder / "data", {"ONEAPI_TRUSTED_PROXIES": "127.0.0.1", "ONEAPI_TRACE_SAMPLE": "0"})
        clean_up.callback(gateway.stop)
        gateway.start()
        assert gateway.process is not None
        gateway.key()
        pin(gateway.process.pid, EVERYTHING_ELSE)
        edge = edge_of(gateway)
        pin(edge, SYSTEM_UNDER_TEST)
        eventually(lambda: Connection(gateway.port).ask(_request(mint(), 1))[0].startswith(REFUSED))
        figures = measure(gateway, edge, each)
    BUILD.mkdir(exist_ok=True)
    (BUILD / "authentication.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))
    wrong = judge(figures)
    print("; ".join(wrong) or "holds")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
