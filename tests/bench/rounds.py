"""The measurements of one round. Every ratio is computed inside a round, with the targets interleaved."""

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.bench.machine import cpu_seconds, resident_mb
from tests.bench.programs import CHAT, Target, load

Figures = dict[str, float]


def measured(target: Target, model: str, per: str, **how: Any) -> tuple[float, dict[str, Any]]:
    """CPU microseconds of the target's tree for each request or chunk, warm-up included on both sides.

    `whole_us` among the figures is the same for everything that serves the target.
    """
    whole = target.whole or target.pid
    before, whole_before = cpu_seconds(target.pid), cpu_seconds(whole)
    figures = load(target, model, **how)
    used, whole_used = cpu_seconds(target.pid) - before, cpu_seconds(whole) - whole_before
    # Rates are counted after a second of warm-up, CPU over the whole run, and so is this.
    count = figures[f"all_{per}"]
    return used / max(count, 1) * 1e6, figures | {"whole_us": whole_used / max(count, 1) * 1e6}


def request_cpu(target: Target) -> Figures:
    """CPU of one non-streaming request, and the rate reached on the target's core."""
    cost, figures = measured(target, "mock-c1-d0", "ok", seconds=4, concurrency=32)
    whole = figures["whole_us"]
    return {"cpu_us_per_request": cost, "whole_cpu_us_per_request": whole, "requests_per_s": figures["rps"]}


def chunk_cpu(target: Target, dialect: str = CHAT, model: str = "mock-c256-d0") -> Figures:
    """CPU of one streamed chunk when streams are not paced."""
    cost, figures = measured(target, model, "chunks", seconds=4, concurrency=8, stream=True, dialect=dialect)
    whole = figures["whole_us"]
    return {"cpu_us_per_chunk": cost, "whole_cpu_us_per_chunk": whole, "chunks_per_s": figures["chunks_per_s"]}


def latency(target: Target) -> Figures:
    """Milliseconds at 20 requests/s, open loop."""
    figures = load(target, "mock-c1-d0", seconds=8, concurrency=32, rate=20)
    return {"p50_ms": figures["lat_us"]["p50"] / 1000, "p99_ms": figures["lat_us"]["p99"] / 1000}


def first_token(target: Target, dialect: str = CHAT, model: str = "mock-c32-d20") -> Figures:
    """Milliseconds to the first chunk with five new streams a second."""
    figures = load(target, model, seconds=6, concurrency=32, rate=5, stream=True, dialect=dialect)
    return {"first_token_ms": figures["ttft_us"]["p50"] / 1000}


def first_tokens(target: Target, dialect: str, models: Sequence[str]) -> dict[str, float]:
    """Milliseconds to the first chunk of several models that take turns.

    They do so in the same seconds, as a machine's own moods last longer than what tells them apart, and at a rate that
    is out of step with what services do every second or so.
    """
    rate = 4.7
    pause_s = 1 / rate / len(models)
    with ThreadPoolExecutor(len(models)) as threads:
        runs = {}
        for model in models:
            runs[model] = threads.submit(
                load, target, model, seconds=16, concurrency=32, rate=rate, stream=True, dialect=dialect
            )
            time.sleep(pause_s)
        return {model: run.result()["ttft_us"]["p50"] / 1000 for model, run in runs.items()}


def stream_memory(target: Target, streams: int = 500) -> float:
    """Kilobytes of resident memory for each of many open streams, at their peak."""
    import threading

    before, peak = resident_mb(target.pid), 0.0
    stopped = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stopped.wait(0.05):
            peak = max(peak, resident_mb(target.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        load(target, "mock-c16-d500", seconds=20, concurrency=streams, stream=True, most=streams)
    finally:
        stopped.set()
        watcher.join()
    return (peak - before) * 1024 / streams


def one_round(targets: list[Target], turn: int) -> dict[str, Figures]:
    """Every measurement of every target, in an order that turns with the round."""
    order = targets[turn % len(targets) :] + targets[: turn % len(targets)]
    found: dict[str, Figures] = {target.name: {} for target in targets}
    for measure in (request_cpu, chunk_cpu, latency, first_token):
        for target in order:
            found[target.name] |= measure(target)
            time.sleep(0.05)
    return found


def several(count: int, one: Callable[[int], dict[str, Figures]]) -> tuple[list[dict[str, Figures]], list[str]]:
    """The rounds that went through, and why the others didn't: a round with a failed request counts for nothing.

    AssertionError when there is none left to report.
    """
    found: list[dict[str, Figures]] = []
    lost: list[str] = []
    for turn in range(count):
        print(f"round {turn + 1} of {count}", flush=True)
        try:
            found.append(one(turn))
        except AssertionError as failure:
            lost.append(f"round {turn + 1}: {failure}".strip())
            print(f"lost {lost[-1]}", flush=True)
    assert found, "every round was lost"
    return found, lost


def middle(rounds: list[dict[str, Figures]], name: str, figure: str) -> float:
    """The median of a figure over the rounds."""
    return statistics.median(each[name][figure] for each in rounds)


def ratio(rounds: list[dict[str, Figures]], name: str, base: str, figure: str) -> float:
    """The median over the rounds of a ratio taken inside each."""
    return statistics.median(each[name][figure] / each[base][figure] for each in rounds)


def difference(rounds: list[dict[str, Figures]], name: str, base: str, figure: str) -> float:
    """The median over the rounds of a difference taken inside each."""
    return statistics.median(each[name][figure] - each[base][figure] for each in rounds)


def summary(rounds: list[dict[str, Figures]], name: str, base: str) -> Figures:
    """How the target did, and its base, which is nginx."""
    return {
        "cpu_per_request_vs_nginx": ratio(rounds, name, base, "cpu_us_per_request"),
        "cpu_per_chunk_vs_nginx": ratio(rounds, name, base, "cpu_us_per_chunk"),
        "cpu_us_per_request": middle(rounds, name, "cpu_us_per_request"),
        "cpu_us_per_chunk": middle(rounds, name, "cpu_us_per_chunk"),
        "nginx_cpu_us_per_request": middle(rounds, base, "cpu_us_per_request"),
        "nginx_cpu_us_per_chunk": middle(rounds, base, "cpu_us_per_chunk"),
        "requests_per_s": middle(rounds, name, "requests_per_s"),
        "chunks_per_s": middle(rounds, name, "chunks_per_s"),
    }


def added(rounds: list[dict[str, Figures]], name: str, direct: str) -> Figures:
    """What the target adds to asking the upstream itself, in milliseconds."""
    return {
        "added_p50_ms_at_20rps": difference(rounds, name, direct, "p50_ms"),
        "added_p99_ms_at_20rps": difference(rounds, name, direct, "p99_ms"),
        "first_token_added_ms": difference(rounds, name, direct, "first_token_ms"),
    }
