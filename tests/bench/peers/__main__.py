"""`make bench-peers`: other gateways beside nginx and our edge, in the rounds of `make bench`.

Writes .bench/peers.json. A peer that can't be installed or started is left out, with the reason. Every ratio is taken
inside a round.
"""

import contextlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench import rounds
from tests.bench.bench import ROUNDS, start_gateway
from tests.bench.peers.litellm import LITELLM
from tests.bench.peers.peer import FEATURES, Peer, PeerSkipped, end
from tests.bench.peers.portkey import PORTKEY
from tests.bench.programs import BUILD, Target, build, start_mock, start_nginx, wait_for

PEERS = (LITELLM, PORTKEY)
OURS = {
    "authentication": "relay keys, each with its own rights",
    "budget": "the key's, and the account's credit",
    "reservation": "one in Redis before each request, settled after it",
    "usage event": "on disk, then in JetStream",
    "spend log": "the ledger in ClickHouse",
    "database": "Redis, NATS, ClickHouse, SQLite",
}
# JavaScript is compiled while it runs: until then a request of it costs up to three times as much.
WARM_UPS = 3
COSTS = ("cpu_us_per_request", "whole_cpu_us_per_request", "cpu_us_per_chunk", "whole_cpu_us_per_chunk")
Row = dict[str, float]


def start_peers(
    mock: int, folder: Path, clean_up: contextlib.ExitStack
) -> tuple[dict[str, Target], dict[str, str], list[Peer]]:
    """The peers that run, and why the others don't."""
    targets: dict[str, Target] = {}
    skipped: dict[str, str] = {}
    for peer in PEERS:
        print(f"starting {peer.name} {peer.version}", flush=True)
        try:
            process, target = peer.start(mock, folder)
        except PeerSkipped as why:
            skipped[peer.name] = str(why)
            continue
        clean_up.callback(end, process)
        try:
            warm(target)
        except AssertionError as failure:
            end(process)
            skipped[peer.name] = f"it failed requests: {failure}"
            continue
        targets[peer.name] = target
    return targets, skipped, [peer for peer in PEERS if peer.name in targets]


def warm(target: Target) -> None:
    """Requests and streams that count for nothing. AssertionError when any of them fails."""
    for _ in range(WARM_UPS):
        rounds.request_cpu(target)
    rounds.chunk_cpu(target)


def figures(found: list[dict[str, rounds.Figures]], name: str) -> Row:
    """The medians of one target: absolute, and against nginx and our edge inside each round."""
    row = {cost: rounds.middle(found, name, cost) for cost in COSTS}
    for base in ("nginx", "edge"):
        for cost in COSTS:
            row[f"{cost}_vs_{base}"] = rounds.ratio(found, name, base, cost)
    row |= rounds.added(found, name, "direct")
    for rate in ("requests_per_s", "chunks_per_s"):
        row[rate] = rounds.middle(found, name, rate)
    return {figure: round(value, 3) for figure, value in row.items()}


def report(rows: dict[str, Row], features: dict[str, dict[str, str]], skipped: dict[str, str]) -> None:
    """Prints what was found, with what each had to do for it."""
    print("\n" + f"{'':36}" + "".join(f"{name:>14}" for name in rows))
    for figure in next(iter(rows.values())):
        print(f"{figure:36}" + "".join(f"{row[figure]:>14}" for row in rows.values()))
    for name, has in features.items():
        print(f"\n{name} has on")
        for feature, what in has.items():
            print(f"  {feature:16} {what}")
    for name, why in skipped.items():
        print(f"\n{name} was left out: {why}")


def main() -> None:
    """Starts everything, runs the rounds, prints and writes the figures."""
    build("loadgen")
    with contextlib.ExitStack() as clean_up:
        folder = Path(clean_up.enter_context(tempfile.TemporaryDirectory(prefix="oneapi-peers-")))
        # Before anything else runs: the load of others on this machine.
        busy = os.getloadavg()[0]
        mock_process, mock = start_mock()
        clean_up.callback(mock_process.kill)
        nginx_process, nginx = start_nginx(mock, folder)
        clean_up.callback(nginx_process.kill)
        _, edge = start_gateway(folder, mock, clean_up)
        direct = Target("direct", mock, mock_process.pid)
        for target in (direct, nginx, edge):
            warm(wait_for(target))
        peers, skipped, running = start_peers(mock, folder, clean_up)
        targets = [direct, nginx, edge, *peers.values()]
        found, lost = rounds.several(ROUNDS, lambda turn: rounds.one_round(targets, turn))
    rows = {target.name: figures(found, target.name) for target in targets[1:]}
    features = {"nginx": dict.fromkeys(FEATURES, "none"), "edge": OURS}
    features |= {peer.name: peer.features for peer in running}
    report(rows, features, skipped)
    written: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%d %H:%M:%S"),
        "load_average_before": busy,
        "rounds": len(found),
        "lost_rounds": lost,
        "versions": {peer.name: peer.version for peer in running},
        "features": features,
        "figures": rows,
        "skipped": skipped,
        "each_round": found,
    }
    (BUILD / "peers.json").write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
