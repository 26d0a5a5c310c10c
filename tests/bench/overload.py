"""`make bench-overload`: one edge is offered twice what it can do, by clients with little patience.

First its saturation is found (closed loop, the best of a few concurrencies), then twice that rate is offered (open
loop), and each client leaves after a second. Good answers per second must stay at 80 % of the peak, every refusal must
say when to come back, and memory must stay bounded; afterwards the edge must do as much as before.
"""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from tests.bench.bench import start_gateway
from tests.bench.machine import cpu_seconds, resident_mb
from tests.bench.programs import BUILD, Target, build, load, start_mock, wait_for

MODEL = "mock-c1-d0"
SECONDS = float(os.environ.get("SECONDS_EACH", "8"))
CONCURRENCIES = (16, 32, 60)
WARM_S = 2
PATIENCE_MS = 1000
TIMES = 2.0
GOOD_SHARE = 0.8
GROWTH_MB = 200


@dataclasses.dataclass
class Run:
    """What one run of the load generator saw, and the CPU seconds of the edge meanwhile."""

    figures: dict[str, Any]
    cpu_s: float

    @property
    def good_rps(self) -> float:
        return float(self.figures["rps"])

    @property
    def good_per_cpu_s(self) -> float:
        """Good answers for each second of the edge's CPU: what is left of the rate when others use the core, too."""
        return float(self.figures["ok"]) * (1 + WARM_S / SECONDS) / max(self.cpu_s, 1e-9)


def run(target: Target, slots: int, rate: float = 0) -> Run:
    """Requests at a rate, or as fast as they are answered; each client leaves when its patience is over."""
    arguments = [BUILD / "loadgen", "-p", target.port, "-P", "/v1/chat/completions", "-f", BUILD / f"body-{MODEL}.json"]
    arguments += ["-c", slots, "-d", SECONDS, "-w", WARM_S, "-t", PATIENCE_MS]
    arguments += ["-H", f"Authorization: Bearer {target.credential}"]
    arguments += ["-r", rate] if rate else []
    command = ["taskset", "-c", "0", *map(str, arguments)]
    before = cpu_seconds(target.pid)
    process = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return Run(json.loads(process.stdout), cpu_seconds(target.pid) - before)


def peak(target: Target) -> Run:
    """The run with the most good answers per second in a closed loop."""
    return max((run(target, count) for count in CONCURRENCIES), key=lambda each: each.good_rps)


@contextlib.contextmanager
def highest(pid: int, into: list[float]) -> Any:
    """Puts the highest resident memory seen meanwhile into a list."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            into.append(resident_mb(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def judge(rows: dict[str, float]) -> list[str]:
    """What does not hold."""
    wrong = []
    if rows["goodput_share"] < GOOD_SHARE:
        wrong.append(f"good answers fell to {rows['goodput_share']:.0%} of the peak")
    if rows["without_retry_after"]:
        wrong.append(f"{rows['without_retry_after']:.0f} refusals without Retry-After")
    if rows["broken"]:
        wrong.append(f"{rows['broken']:.0f} connections broke, or answers were neither 200, 429 nor 503")
    if rows["memory_growth_mb"] > GROWTH_MB:
        wrong.append(f"memory grew by {rows['memory_growth_mb']:.0f} MB")
    if rows["peak_after_share"] < GOOD_SHARE:
        wrong.append(f"afterwards it does {rows['peak_after_share']:.0%} of what it did")
    return wrong


def measure(edge: Target) -> dict[str, float]:
    """Peak, overload, and peak again."""
    load(edge, MODEL, seconds=2, concurrency=32)  # warm, discarded
    before = peak(edge)
    offered = before.good_rps * TIMES
    at_rest = resident_mb(edge.pid)
    memory = [at_rest]
    with highest(edge.pid, memory):
        pushed = run(edge, int(offered * PATIENCE_MS / 1000 * 1.3) + 100, offered)
    after = peak(edge)
    figures = pushed.figures
    refused = figures["n503"] + figures["n429"]
    return {
        "peak_rps": before.good_rps,
        "offered_rps": offered,
        "goodput_rps": pushed.good_rps,
        "goodput_share": pushed.good_rps / before.good_rps,
        "good_per_cpu_s_at_peak": before.good_per_cpu_s,
        "good_per_cpu_s_overloaded": pushed.good_per_cpu_s,
        "edge_cpu_share_at_peak": before.cpu_s / (SECONDS + WARM_S),
        "edge_cpu_share_overloaded": pushed.cpu_s / (SECONDS + WARM_S),
        "refused_rps": refused / SECONDS,
        "left_rps": figures["left"] / SECONDS,
        "good_p50_ms": figures["lat_us"]["p50"] / 1000,
        "good_p99_ms": figures["lat_us"]["p99"] / 1000,
        "refused_p50_ms": figures["shed_us"]["p50"] / 1000,
        "refused_p99_ms": figures["shed_us"]["p99"] / 1000,
        "without_retry_after": figures["without_retry_after"],
        "broken": figures["err"] + max(figures["shed_us"]["n"] - refused, 0),
        "memory_mb": at_rest,
        "memory_growth_mb": max(memory) - at_rest,
        "peak_after_share": after.good_rps / before.good_rps,
    }


def main() -> None:
    build("loadgen")
    with contextlib.ExitStack() as clean_up:
        folder = Path(clean_up.enter_context(tempfile.TemporaryDirectory(prefix="oneapi-overload-")))
        mock_process, mock = start_mock()
        clean_up.callback(mock_process.kill)
        _, edge = start_gateway(folder, mock, clean_up)
        wait_for(edge)
        rows = measure(edge)
    for row, value in rows.items():
        print(f"{row:26} {value:>12.2f}")
    wrong = judge(rows)
    print("; ".join(wrong) or "holds")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
