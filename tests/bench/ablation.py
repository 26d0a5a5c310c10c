"""`make bench-ablation`: what each duty of the edge costs, by edges that lack it. Writes .bench/ablation.json.

A variant is a copy of the project under .bench/ with a few pieces of its text replaced; the product itself has no
switches for any of this. The variants run beside one stack, and take turns within each round. A piece that isn't there
exactly once ends the run: then the edge has changed, and the variant must follow.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import rounds
from tests.bench.bench import ROUNDS, start_edge, start_gateway
from tests.bench.machine import SYSTEM_UNDER_TEST, pin
from tests.bench.programs import BUILD, Target, build, start_mock, start_nginx, wait_for
from tests.e2e.gateway import ROOT, Gateway
from tests.ports import free_port

Replacement = tuple[str, str, str]
"""A file of the project, a piece of its text, and what stands in its place."""

MONEY = "services/edge/money/"
EVERYTHING = "everything on"

NO_RESERVATION: list[Replacement] = [
    (
        MONEY + "admission.py",
        "        account_id = claim.account.id\n        until = 0.0\n",
        "        now = self._clock.now_ms\n        return Granted(now, now, now + 900_000, True, (), 1, 0, -1, 0)\n",
    ),
    (MONEY + "admission.py", "        self._link.cast(reserve_call.settle(", "        return\n        str(("),
]

KEEPING = """
class Kept:
    def __init__(self, plan):
        self.kept = plan

    async def plan(self):
        return self.kept

    def abandon(self):
        pass


KEPT = {}


"""

NO_PICK: list[Replacement] = [
    (
        "services/edge/inference/admission.py",
        "class Admission:\n",
        KEEPING + "class Admission:\n",
    ),
    (
        "services/edge/inference/admission.py",
        "pick = self._router.ask(_question(exchange))",
        "pick = KEPT.get(facts.model) or self._router.ask(_question(exchange))",
    ),
    (
        "services/edge/inference/admission.py",
        "    plan = await pick.plan()\n",
        "    plan = await pick.plan()\n    KEPT.setdefault(exchange.facts.model, Kept(plan))\n",
    ),
    ("services/edge/router/client.py", "        self._outcomes.append(outcome)\n", "        return\n"),
]

SETTLED_ONLY = """
        del self._open[hold.ticket]
        if hold.slot != NO_SLOT:
            self._progress.give_back(hold.slot)
            hold.slot = NO_SLOT
        tokens = settlement.total_tokens(ending.usage)
        self._settle(tent.account_id, tent.key_id, tent.request_id, charged.amount_nano, tokens)
        return
"""

NO_USAGE_EVENT: list[Replacement] = [
    (MONEY + "desk.py", "self.append = spool.append", "self.append = lambda kind, payload: 0"),
    (MONEY + "desk.py", "self.flush = spool.flush", "self.flush = lambda: None"),
    (MONEY + "desk.py", "self._spool.append(records.TENT, records.encode_tent(tent))", "id(tent)"),
    (
        MONEY + "desk.py",
        "        event = settlement.event(\n",
        SETTLED_ONLY + "        event = settlement.event(\n",
    ),
    (MONEY + "records.py", "    return _TICKET.pack(ticket) + _encoder.encode(detail)\n", '    return b""\n'),
]

VARIANTS: dict[str, list[Replacement]] = {
    EVERYTHING: [],
    "no reservation": NO_RESERVATION,
    "no pick": NO_PICK,
    "no usage event": NO_USAGE_EVENT,
    "none of the three": NO_RESERVATION + NO_PICK + NO_USAGE_EVENT,
}


def copy_of(name: str, replacements: list[Replacement]) -> Path:
    """A copy of the project with these replacements made."""
    project = BUILD / "ablation" / name.replace(" ", "-")
    shutil.rmtree(project, ignore_errors=True)
    for package in ("oneapi", "services", "proto"):
        shutil.copytree(ROOT / package, project / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, old, new in replacements:
        text = (project / file).read_text()
        if text.count(old) != 1:
            sys.exit(f"{name}: {file} has this {text.count(old)} times, not once: {old!r}")
        (project / file).write_text(text.replace(old, new))
    asked = [sys.executable, "-c", "import services.edge; print(services.edge.__file__)"]
    imported = subprocess.run(asked, cwd=project, capture_output=True, text=True, check=True).stdout
    assert imported.startswith(str(project)), f"{name} would run {imported}"
    return project


def start_variant(gateway: Gateway, name: str, key: str, clean_up: contextlib.ExitStack) -> Target:
    """An edge of this variant beside the stack's own, warm."""
    port = free_port()
    process = start_edge(gateway, name.replace(" ", "-"), port, copy_of(name, VARIANTS[name]))
    clean_up.callback(process.wait, 30)
    clean_up.callback(process.terminate)
    target = wait_for(Target(name, port, process.pid, key))
    pin(process.pid, SYSTEM_UNDER_TEST)
    rounds.request_cpu(target)
    return target


def main() -> None:
    """Starts the stack and the variants, runs the rounds, prints and writes the figures."""
    build("loadgen")
    with contextlib.ExitStack() as clean_up:
        folder = Path(clean_up.enter_context(tempfile.TemporaryDirectory(prefix="oneapi-ablation-")))
        busy = os.getloadavg()[0]
        mock_process, mock = start_mock()
        clean_up.callback(mock_process.kill)
        nginx_process, nginx = start_nginx(mock, folder)
        clean_up.callback(nginx_process.kill)
        gateway, edge = start_gateway(folder, mock, clean_up)
        targets = [wait_for(nginx)]
        targets += [start_variant(gateway, name, edge.credential, clean_up) for name in VARIANTS]

        def one_round(turn: int) -> dict[str, rounds.Figures]:
            turned = targets[turn % len(targets) :] + targets[: turn % len(targets)]
            return {target.name: rounds.request_cpu(target) for target in turned}

        found, lost = rounds.several(ROUNDS, one_round)
    print(f"{'CPU us per request':20}{'median':>10}{'saved':>10}{'x nginx':>10}")
    figures = {}
    for target in targets:
        name, cost = target.name, "cpu_us_per_request"
        figures[name] = {
            "cpu_us_per_request": round(rounds.middle(found, name, cost), 1),
            "saved_us": round(rounds.difference(found, EVERYTHING, name, cost), 1),
            "vs_nginx": round(rounds.ratio(found, name, "nginx", cost), 2),
        }
        print(f"{name:20}" + "".join(f"{value:>10}" for value in figures[name].values()))
    written: dict[str, Any] = {"load_average_before": busy, "rounds": len(found), "lost_rounds": lost}
    written |= {"figures": figures, "each_round": found}
    (BUILD / "ablation.json").write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
