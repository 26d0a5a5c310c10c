"""`make bench-auth`: what a bad key costs, and whether its kind can be told from the time that it takes.

A real edge gets keys that were revoked, that nobody ever made, that are malformed and that have expired, in a random
order, each from another network, so that nobody is slowed down for failing. Writes .bench/authentication.json: medians
of the client's time for each kind and the largest difference between two of them, on one connection; and the edge's CPU
time for each failure where 64 connections hurry, as somebody would who guesses, beside what nginx needs for a request,
in interleaved rounds.
"""

import argparse
import contextlib
import itertools
import json
import random
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from oneapi.runtime.relay_keys import mint
from tests.bench.bench import edge_of
from tests.bench.machine import EVERYTHING_ELSE, SYSTEM_UNDER_TEST, cpu_seconds, pin
from tests.bench.programs import BUILD, Target, build, start_mock, start_nginx, wait_for
from tests.bench.rounds import request_cpu
from tests.e2e.gateway import Gateway, eventually

REQUESTS_EACH = 20_000
WARM_EACH = 1_000
HURRYING, HURRY_S = 64, 4
ROUNDS = 3
KNOWN = 50
"""Revoked and expired keys are so many different ones."""
MAX_SPREAD_US = 50
MAX_VS_NGINX = 11.5
"""150 us of CPU where nginx passes a request on in 13 us; on a slower machine both grow."""
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
        self._socket.sendall(request)
        answer = self._socket.recv(65_536)
        while not _whole(answer):
            more = self._socket.recv(65_536)
            if not more:
                raise ConnectionError(f"the edge closed after {answer!r}")
            answer += more
        return answer, time.perf_counter_ns() - began


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


def measure_kinds(gateway: Gateway, each: int) -> dict[str, object]:
    """The client's time for each kind."""
    makers = _makers(gateway)
    # A prime step visits every network once before any a second time.
    sources = (start * 7_919 % 2**22 for start in itertools.count(secrets.randbelow(2**20)))
    connection = Connection(gateway.port)
    for _, request in _shuffled(makers, WARM_EACH, sources):
        connection.ask(request)
    asked = _shuffled(makers, each, sources)
    taken: dict[str, list[int]] = {kind: [] for kind in makers}
    for kind, request in asked:
        answer, ns = connection.ask(request)
        assert answer.startswith(REFUSED), answer
        taken[kind].append(ns)
    medians = {kind: statistics.median(values) / 1_000 for kind, values in taken.items()}
    return {
        "requests_each": each,
        "median_us": {kind: round(value, 1) for kind, value in medians.items()},
        "spread_us": round(max(medians.values()) - min(medians.values()), 1),
    }


def failure_cpu(gateway: Gateway, edge: int) -> float:
    """Microseconds of the edge's CPU for each failure, when as many come as it can take."""
    path = BUILD / "body-authentication.json"
    path.write_bytes(BODY)
    arguments = [BUILD / "loadgen", "-p", gateway.port, "-f", path, "-c", HURRYING, "-d", HURRY_S, "-m"]
    arguments += ["-H", f"authorization: Bearer {mint()}", "-H", "x-forwarded-for: ###.###.###.1"]
    before_s = cpu_seconds(edge)
    done = subprocess.run(
        ["taskset", "-c", "0", *map(str, arguments)], capture_output=True, text=True, check=True, timeout=60
    )
    figures = json.loads(done.stdout)
    assert figures["last_err_status"] == 401, figures
    assert not figures["err"], figures
    return (cpu_seconds(edge) - before_s) * 1_000_000 / int(figures["non200"])


def measure_cpu(gateway: Gateway, edge: int, nginx: Target) -> dict[str, float]:
    """What a failure costs, and how many times that of a request through nginx: medians of the rounds."""
    failures, ratios = [], []
    for _ in range(ROUNDS):
        base = request_cpu(nginx)["cpu_us_per_request"]
        failures.append(failure_cpu(gateway, edge))
        ratios.append(failures[-1] / base)
    return {
        "cpu_us_per_failure": round(statistics.median(failures), 1),
        "cpu_per_failure_vs_nginx": round(statistics.median(ratios), 1),
    }


def judge(figures: dict[str, object]) -> list[str]:
    """What does not hold."""
    wrong = []
    if float(str(figures["spread_us"])) > MAX_SPREAD_US:
        wrong.append(f"the kinds of bad keys differ by more than {MAX_SPREAD_US} us")
    if float(str(figures["cpu_per_failure_vs_nginx"])) > MAX_VS_NGINX:
        wrong.append(f"a failure costs more than {MAX_VS_NGINX} requests through nginx")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS_EACH, help="of each kind")
    each = parser.parse_args().requests
    with contextlib.ExitStack() as clean_up:
        folder = Path(clean_up.enter_context(tempfile.TemporaryDirectory(prefix="oneapi-authentication-")))
        build("loadgen")
        mock_process, mock = start_mock()
        clean_up.callback(mock_process.kill)
        nginx_process, nginx = start_nginx(mock, folder)
        clean_up.callback(nginx_process.kill)
        wait_for(nginx)
        gateway = Gateway(folder / "data", {"ONEAPI_TRUSTED_PROXIES": "127.0.0.1", "ONEAPI_TRACE_SAMPLE": "0"})
        clean_up.callback(gateway.stop)
        gateway.start()
        assert gateway.process is not None
        gateway.key()
        pin(gateway.process.pid, EVERYTHING_ELSE)
        edge = edge_of(gateway)
        pin(edge, SYSTEM_UNDER_TEST)
        eventually(lambda: Connection(gateway.port).ask(_request(mint(), 1))[0].startswith(REFUSED))
        figures = measure_kinds(gateway, each) | measure_cpu(gateway, edge, nginx)
    (BUILD / "authentication.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))
    wrong = judge(figures)
    print("; ".join(wrong) or "holds")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
