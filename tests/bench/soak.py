"""`make soak MINUTES=20`: half of what one edge can do, for a long time, streams and not; then what it kept.

Memory is watched from a fifth of the time on, or the sixth minute, whichever is earlier: until then caches fill.
Descriptors and threads are counted at rest, before and after. An edge whose memory goes on growing, or that keeps a
descriptor or a request, leaks.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.bench.bench import start_edge, start_gateway
from tests.bench.machine import SYSTEM_UNDER_TEST, pin, resident_mb
from tests.bench.programs import Target, build, load, start_mock, wait_for
from tests.e2e.gateway import eventually
from tests.ports import free_port

WHOLE, STREAMED = "mock-c1-d0", "mock-c32-d20"
TURN_S = 30.0
SETTLING_S, SETTLING_SHARE = 300.0, 0.2
SLOPE_MB_PER_HOUR = 30.0
MORE_DESCRIPTORS = 16
REFUSED_SHARE = 0.001


def descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def threads(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())


def open_requests(metrics_port: int) -> float:
    """What the edge itself says that it serves."""
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith("oneapi_open_requests "))


def slope(samples: list[tuple[float, float]]) -> float:
    """MB per hour of the straight line through (seconds, MB)."""
    fitted = statistics.linear_regression([at for at, _ in samples], [size for _, size in samples])
    return fitted.slope * 3600


class Watch:
    """Samples a process's memory every second until `end`."""

    def __init__(self, pid: int) -> None:
        self.samples: list[tuple[float, float]] = []
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(1.0):
            self.samples.append((time.monotonic(), resident_mb(self._pid)))


def half_load(edge: Target, seconds: float) -> dict[str, float]:
    """Half of saturation for so long: whole answers by rate, and streams beside them, in turns of half a minute."""
    saturation = float(load(edge, WHOLE, seconds=4, concurrency=32)["rps"])
    rate = saturation / 2 * 0.7
    done = {"saturation_rps": saturation, "requests": 0.0, "streams": 0.0, "refused": 0.0}
    ends_at = time.monotonic() + seconds

    def count(figures: dict[str, Any], kind: str) -> None:
        done[kind] += figures["ok"]
        done["refused"] += figures["non200"] + figures["err"]

    def streams() -> None:
        while time.monotonic() < ends_at:
            pace = saturation / 100
            count(
                load(edge, STREAMED, seconds=TURN_S, concurrency=100, rate=pace, stream=True, refusals=True), "streams"
            )

    beside = threading.Thread(target=streams)
    beside.start()
    while time.monotonic() < ends_at:
        count(load(edge, WHOLE, seconds=TURN_S, concurrency=48, rate=rate, refusals=True), "requests")
    beside.join()
    return done


def soak(edge: Target, metrics_port: int, seconds: float) -> tuple[dict[str, float], list[str]]:
    """The figures, and what is wrong with them."""
    load(edge, WHOLE, seconds=3, concurrency=32)
    load(edge, STREAMED, seconds=3, concurrency=32, stream=True)
    eventually(lambda: open_requests(metrics_port) == 0, 30)
    at_start = descriptors(edge.pid), threads(edge.pid)
    watch = Watch(edge.pid)
    try:
        rows = half_load(edge, seconds)
    finally:
        watch.end()
    still_open = open_requests(metrics_port)
    # Connections to the provider are kept for a minute.
    within = eventually(lambda: settled(edge.pid, at_start[0]), 90)
    began = watch.samples[0][0]
    settled_at = began + min(SETTLING_S, seconds * SETTLING_SHARE)
    counted = [sample for sample in watch.samples if sample[0] >= settled_at]
    rows |= {
        "memory_first_mb": counted[0][1],
        "memory_last_mb": counted[-1][1],
        "memory_slope_mb_per_hour": slope(counted),
        "descriptors_before": at_start[0],
        "descriptors_after": within,
        "threads_before": at_start[1],
        "threads_after": threads(edge.pid),
        "open_requests_after": still_open,
    }
    wrong = []
    if rows["memory_slope_mb_per_hour"] > SLOPE_MB_PER_HOUR:
        wrong.append("memory grows")
    if rows["threads_after"] > rows["threads_before"]:
        wrong.append("threads are left")
    if rows["refused"] > REFUSED_SHARE * (rows["requests"] + rows["streams"]):
        wrong.append("too many requests are refused at half load")
    if still_open:
        wrong.append("requests are left open")
    return rows, wrong


def settled(pid: int, before: int) -> int:
    """The count of descriptors, once it is near what it was; else 0."""
    now = descriptors(pid)
    return now if now <= before + MORE_DESCRIPTORS else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=20.0)
    minutes = parser.parse_args().minutes
    build("loadgen")
    with contextlib.ExitStack() as clean_up:
        folder = Path(clean_up.enter_context(tempfile.TemporaryDirectory(prefix="oneapi-soak-")))
        mock_process, mock = start_mock()
        clean_up.callback(mock_process.kill)
        gateway, usual = start_gateway(folder, mock, clean_up)
        port, metrics_port = free_port(), free_port()
        process = start_edge(gateway, "soak", port, environment={"ONEAPI_METRICS_PORT": str(metrics_port)})
        clean_up.callback(process.wait, 30)
        clean_up.callback(process.terminate)
        pin(process.pid, SYSTEM_UNDER_TEST)
        edge = wait_for(Target("edge", port, process.pid, usual.credential))
        rows, wrong = soak(edge, metrics_port, minutes * 60)
    for row, value in rows.items():
        print(f"{row:26} {value:>12.2f}")
    print("; ".join(wrong) or "nothing leaks")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
