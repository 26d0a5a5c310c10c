"""`make bench`: one edge worker with everything on, beside nginx, in interleaved rounds; writes .bench/latest.json.

Core 1 has the system under test alone; the mock, the load generator, Redis, NATS, ClickHouse and the other services
share core 0. Numbers are of this machine, ratios are what to compare.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2

from tests.bench import converted, documents, rounds
from tests.bench.machine import EVERYTHING_ELSE, SYSTEM_UNDER_TEST, command, pin, resident_mb, tree
from tests.bench.programs import BUILD, MESSAGES, PATHS, Target, build, start_mock, start_nginx, wait_for
from tests.e2e.gateway import ROOT, Gateway
from tests.ports import free_port

ROUNDS = int(os.environ.get("ROUNDS", "3"))
CONVERTED_MODELS = {dialect: f"mock-c256-d0-{dialect}" for dialect in PATHS}
PACED_MODELS = {dialect: f"mock-c2-d20-{dialect}" for dialect in PATHS}
"""One of each for each format of an upstream, whose channel speaks nothing else."""
MODELS = ["mock-c1-d0", "mock-c256-d0", "mock-c32-d20", "mock-c16-d500"]


def edge_of(gateway: Gateway) -> int:
    """The edge's process among those that the stack runs."""
    assert gateway.process is not None
    return next(pid for pid in tree(gateway.process.pid) if "services.edge" in command(pid))


def start_gateway(folder: Path, mock: int, clean_up: contextlib.ExitStack) -> tuple[Gateway, Target]:
    """The whole stack, with a priced channel to the mock and a key that has a budget and limits."""
    gateway = Gateway(folder / "data", {"ONEAPI_TRACE_SAMPLE": "0.01"})
    clean_up.callback(gateway.stop)
    gateway.start()
    assert gateway.process is not None
    gateway.create(
        "channels",
        name="mock",
        provider="openai-compatible",
        base_url=f"http://127.0.0.1:{mock}/v1",
        api_key="mock",
        models=MODELS,
    )
    for dialect, model in CONVERTED_MODELS.items():
        anthropic = dialect == MESSAGES
        gateway.create(
            "channels",
            name=f"mock {dialect}",
            provider="anthropic-compatible" if anthropic else "openai-compatible",
            base_url=f"http://127.0.0.1:{mock}" + ("" if anthropic else "/v1"),
            api_key="mock",
            dialects=[dialect],
            models=[model, PACED_MODELS[dialect]],
        )
    for model in (*MODELS, *CONVERTED_MODELS.values(), *PACED_MODELS.values()):
        gateway.admin.put(f"/api/prices/{model}", json={"input": "2", "output": "8"}).raise_for_status()
    key = gateway.key(budget={"amount_usd": "1000000", "window": "total"}, limits={"rpm": 10_000_000})
    pin(gateway.process.pid, EVERYTHING_ELSE)
    edge = edge_of(gateway)
    pin(edge, SYSTEM_UNDER_TEST)
    return gateway, Target("edge", gateway.port, edge, key, whole=gateway.process.pid)


def start_edge(
    gateway: Gateway, name: str, port: int, project: Path = ROOT, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """One more edge process beside the stack's own, of the project in this folder."""
    whole = {
        **dict(
            item.split("=", 1)
            for item in Path(f"/proc/{edge_of(gateway)}/environ").read_text().split("\0")
            if "=" in item
        ),
        "ONEAPI_PORT": str(port),
        "ONEAPI_EDGE_ID": f"bench-{name}",
        "ONEAPI_SPOOL_DIR": str(gateway.data_dir / f"spool-{name}"),
        "PYTHONPATH": str(project),
        **(environment or {}),
    }
    return subprocess.Popen([sys.executable, "-m", "services.edge"], env=whole, cwd=project)


def start_up(gateway: Gateway) -> dict[str, float]:
    """Seconds until one more edge process is ready, and its memory when idle."""
    port = free_port()
    began = time.monotonic()
    process = start_edge(gateway, "second", port)
    try:
        while True:
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                    break
            except httpx2.TransportError:
                pass
            assert time.monotonic() - began < 30
            time.sleep(0.01)
        ready = time.monotonic() - began
        time.sleep(1.5)
        return {"ready_s": ready, "idle_mb": resident_mb(process.pid)}
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    build("loadgen")
    with contextlib.ExitStack() as clean_up:
        folder = Path(clean_up.enter_context(tempfile.TemporaryDirectory(prefix="oneapi-bench-")))
        mock_process, mock = start_mock()
        clean_up.callback(mock_process.kill)
        nginx_process, nginx = start_nginx(mock, folder)
        clean_up.callback(nginx_process.kill)
        gateway, edge = start_gateway(folder, mock, clean_up)
        direct = Target("direct", mock, mock_process.pid)
        for target in (direct, nginx, edge):
            wait_for(target)
            rounds.request_cpu(target)  # warm, discarded
        found = [rounds.one_round([direct, nginx, edge], turn) for turn in range(ROUNDS)]
        figures = rounds.summary(found, "edge", "nginx") | rounds.added(found, "edge", "direct")
        figures |= converted.measure(edge, nginx, CONVERTED_MODELS, PACED_MODELS, ROUNDS)
        figures |= documents.measure(gateway, folder, ROUNDS)
        figures["kb_per_stream"] = rounds.stream_memory(edge)
        figures |= start_up(gateway)
    rounded = {name: round(value, 3) for name, value in figures.items()}
    (BUILD / "latest.json").write_text(json.dumps(rounded, indent=1) + "\n")
    for row, value in rounded.items():
        print(f"{row:32} {value:>12}")


if __name__ == "__main__":
    main()
