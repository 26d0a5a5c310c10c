"""`make bench-slow`: what one edge still does for good clients while thousands of connections send it a head byte by
byte; writes .bench/slow.json.

In each round good requests are sent as fast as they are answered, first alone and then beside the slow connections,
each of which sends a byte a second and comes back as soon as it is cut. Their generator shares core 0 with the load
generator, the upstream and all other services; core 1 has the edge alone. `goodput_share` is the median of the rounds;
`good_per_cpu_share` is the same for each second of the edge's CPU, for machines that others use, too.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.bench import start_gateway
from tests.bench.machine import EVERYTHING_ELSE, cpu_seconds, pin, resident_mb
from tests.bench.programs import BUILD, Target, build, load, start_mock, wait_for

MODEL = "mock-c1-d0"
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = float(os.environ.get("SECONDS_EACH", "10"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "5000"))
CONCURRENCY = 32
SETTLING_S = 14.0
"""After so long all slow connections have come, and the first have been cut and are back."""
GOOD_SHARE = 0.9


@contextlib.contextmanager
def slow_connections(port: int, seconds: float, seen: dict[str, Any]) -> Any:
    """The slow connections, for so long or until the end of the block."""
    arguments = [BUILD / "slow_heads", port, CONNECTIONS, seconds]
    process = subprocess.Popen([*map(str, arguments)], stdout=subprocess.PIPE, text=True)
    pin(process.pid, EVERYTHING_ELSE)
    try:
        time.sleep(SETTLING_S)
        yield
        output, _ = process.communicate(timeout=60)
        seen.update(json.loads(output))
    finally:
        process.kill()


def good(edge: Target) -> tuple[float, float, float]:
    """Good answers per second, their 99th percentile in milliseconds, and the share of a core that the edge used."""
    before, began = cpu_seconds(edge.pid), time.monotonic()
    figures = load(edge, MODEL, seconds=SECONDS, concurrency=CONCURRENCY)
    share = (cpu_seconds(edge.pid) - before) / (time.monotonic() - began)
    return float(figures["rps"]), figures["lat_us"]["p99"] / 1000, share


def idle_share(edge: Target, seconds: float = 3.0) -> float:
    """The share of a core that the edge uses for what comes by itself."""
    before = cpu_seconds(edge.pid)
    time.sleep(seconds)
    return (cpu_seconds(edge.pid) - before) / seconds


def one_round(edge: Target) -> dict[str, float]:
    """Alone, then attacked."""
    alone, alone_p99_ms, alone_cpu = good(edge)
    at_rest = resident_mb(edge.pid)
    seen: dict[str, Any] = {}
    with slow_connections(edge.port, SETTLING_S + SECONDS + 8, seen):
        attack_cpu = idle_share(edge)
        attacked, attacked_p99_ms, attacked_cpu = good(edge)
        held = resident_mb(edge.pid)
    return {
        "goodput_share": attacked / alone,
        "good_per_cpu_share": (attacked / attacked_cpu) / (alone / alone_cpu),
        "rps_alone": alone,
        "rps_attacked": attacked,
        "p99_ms_alone": alone_p99_ms,
        "p99_ms_attacked": attacked_p99_ms,
        "edge_cpu_alone": alone_cpu,
        "edge_cpu_attacked": attacked_cpu,
        "edge_cpu_of_attack": attack_cpu,
        "memory_growth_mb": held - at_rest,
        "connections_open": float(seen["most_open"]),
        "connections_made": float(seen["made"]),
        "bytes_sent": float(seen["bytes"]),
        "not_connected": float(seen["failed"]),
    }


def main() -> None:
    build("loadgen")
    build("slow_heads")
    with contextlib.ExitStack() as clean_up:
        folder = Path(clean_up.enter_context(tempfile.TemporaryDirectory(prefix="oneapi-slow-")))
        mock_process, mock = start_mock()
        clean_up.callback(mock_process.kill)
        _, edge = start_gateway(folder, mock, clean_up)
        wait_for(edge)
        load(edge, MODEL, seconds=2, concurrency=CONCURRENCY)  # warm, discarded
        rounds = [one_round(edge) for _ in range(ROUNDS)]
    rows = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    rows["rounds"] = float(len(rounds))
    (BUILD / "slow.json").write_text(json.dumps(rows, indent=2) + "\n")
    for row, value in rows.items():
        print(f"{row:22} {value:>12.2f}")
    holds = rows["goodput_share"] >= GOOD_SHARE
    print("holds" if holds else f"good answers fell to {rows['goodput_share']:.0%}")
    sys.exit(not holds)


if __name__ == "__main__":
    main()
