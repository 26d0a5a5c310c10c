"""`make test-clients`: every client against every upstream format, in every scenario, through a whole gateway.

Each cell runs a client as its users do, as a process in a folder of its own. It is good when the client ends well and
says what the upstream said; and, in the scenario with a tool, when the upstream got the tool's result in a second turn.
The matrix is printed at the end. `python -m tests.clients NAME…` runs those clients whose names contain one of these.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.clients.clients import CLIENTS, SCENARIOS, TEXT, TOOL, Cell, Client, environment
from tests.clients.installation import node, python
from tests.e2e.gateway import Gateway, UpstreamServer
from tests.integration.edge.formats import COHERE, CONVERSE, UPSTREAMS, channel_of

LIMIT_S = 180
SANDBOX = "sandbox"
PLACES = (*UPSTREAMS, SANDBOX)
SAID = "tok tok tok tok tok"
SAID_BY_SANDBOX = "This is the sandbox"
PLAYS = {TEXT: "play:tokens=5", TOOL: "play:tokens=5,tool=1"}


def main() -> None:
    """Exit code 1 when a cell failed."""
    chosen = [each for each in CLIENTS if not sys.argv[1:] or any(part in each.name for part in sys.argv[1:])]
    print("installing the clients", flush=True)
    node()
    python()
    with tempfile.TemporaryDirectory(prefix="oneapi-clients-") as temporary:
        folder = Path(temporary)
        upstream = UpstreamServer(folder)
        gateway = Gateway(folder / "data")
        try:
            gateway.start()
            for dialect in UPSTREAMS:
                models = {f"{scenario}-on-{dialect}": play for scenario, play in PLAYS.items()}
                at_root = {"base_url": upstream.url} if dialect in {COHERE, CONVERSE} else {}
                gateway.channel(upstream, models, **channel_of(dialect), **at_root)
            key = gateway.key()
            cells = _run_all(chosen, gateway, upstream, key, folder)
        finally:
            gateway.stop()
            upstream.stop()
    print("\n" + table(chosen, cells))
    good, bad = sum(not why for why in cells.values()), sum(bool(why) for why in cells.values())
    print(f"{good} passed, {bad} failed")
    sys.exit(bool(bad))


def _run_all(
    chosen: list[Client], gateway: Gateway, upstream: UpstreamServer, key: str, folder: Path
) -> dict[tuple[str, str, str], str]:
    """What went wrong in each cell; "" for a good one."""
    cells = {}
    for client in chosen:
        for place in PLACES:
            for scenario in SCENARIOS:
                model = SANDBOX if place == SANDBOX else f"{scenario}-on-{place}"
                own = Path(tempfile.mkdtemp(dir=folder))
                why = run(client, Cell(gateway.url, key, model, scenario, own), upstream)
                cells[client.name, place, scenario] = why
                print(f"{'FAILED' if why else 'ok':7} {client.name} on {place}: {scenario}  {why}", flush=True)
    return cells


def run(client: Client, cell: Cell, upstream: UpstreamServer) -> str:
    """What went wrong; "" when nothing did."""
    before = len(upstream.served())
    start = client.start(cell)
    try:
        done = subprocess.run(
            start.command,
            cwd=cell.folder,
            env=environment(cell, start),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {LIMIT_S} s"
    if done.returncode:
        return f"ended with {done.returncode}: {(done.stderr or done.stdout)[-2_000:]}"
    if (SAID_BY_SANDBOX if cell.model == SANDBOX else SAID) not in done.stdout:
        return f"said {done.stdout[-2_000:]!r}"
    if cell.scenario != TOOL:
        return ""
    if client.used not in done.stdout:
        return f"used no tool: {done.stdout[-2_000:]!r}"
    served = upstream.served()[before:]
    if cell.model != SANDBOX and not any(client.result in json.dumps(entry["body"]) for entry in served):
        return "the upstream never got the tool's result"
    return ""


def table(clients: list[Client], cells: dict[tuple[str, str, str], str]) -> str:
    """The matrix: a row for each client and scenario, a column for each upstream."""
    lines = [f"{'client':34} {'scenario':9} " + " ".join(f"{place:19}" for place in PLACES)]
    for client in clients:
        for scenario in SCENARIOS:
            shown = ["FAILED" if cells[client.name, place, scenario] else "ok" for place in PLACES]
            lines.append(f"{client.name:34} {scenario:9} " + " ".join(f"{each:19}" for each in shown))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
