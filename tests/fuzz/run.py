"""A whole run: `python -m tests.fuzz.run CASES [--seed N] [--only NAME…]`.

Three tenths of the cases go over HTTP to a gateway of its own, the rest to the targets in process, by their shares. The
gateway must come out of it whole: no answer 500, no exception in its logs, every process alive, the next good request
answered. Inputs that fail are kept in .fuzz/. The last line is the result.
"""

import argparse
import concurrent.futures
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.gateway import ROOT, Gateway
from tests.fuzz import api, inference, sockets
from tests.fuzz.report import Report
from tests.fuzz.targets import TARGETS

FOLDER = ROOT / ".fuzz"
HTTP_SHARES = {"inference": 0.12, "sockets": 0.12, "api": 0.07}
IN_PROCESS_LIMIT_S = 1_500
_EXCEPTION = re.compile(r'"exception":|Traceback \(most recent call last\)')


def parts_in_process(cases: int) -> dict[str, int]:
    """How many cases each target has."""
    whole = sum(target.share for target in TARGETS.values())
    return {name: max(cases * target.share // whole, 1) for name, target in TARGETS.items()}


def in_process(name: str, cases: int, seed: int, report: Report) -> str:
    """Runs one target; one line about it."""
    corpus = report.folder / f"corpus-{name.replace(' ', '-')}"
    shutil.rmtree(corpus, ignore_errors=True)
    known = set(report.folder.iterdir())
    began = time.monotonic()
    arguments = [sys.executable, "-m", "tests.fuzz.guided", name, str(cases), str(seed), str(report.folder)]
    try:
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, timeout=IN_PROCESS_LIMIT_S, check=False)
        said, code = done.stderr.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as slow:
        said, code = (slow.stderr or b"").decode(errors="replace"), -1
    counted = re.findall(r"^cases (\d+)$", said, re.MULTILINE)
    report.cases += int(counted[-1]) if counted else 0
    shutil.rmtree(corpus, ignore_errors=True)
    if code:
        found = [path for path in set(report.folder.iterdir()) - known if path.is_file() and path.name[:1] in "ctosl"]
        report.keep(name, found[0].read_bytes() if found else b"", said[-1_500:])
    took = time.monotonic() - began
    return f"{name}: {cases} cases, {took:.0f} s"


def over_http(gateway: Gateway, counts: dict[str, int], seed: int, report: Report) -> None:
    """The parts that need a gateway, and whether it is well afterwards."""
    key = gateway.key(name="fuzz")
    runs: dict[str, Callable[[int], None]] = {
        "inference": lambda cases: inference.run(gateway.port, key, cases, seed, report),
        "sockets": lambda cases: sockets.run(gateway.port, key, gateway.admin_token, cases, seed, report),
        # Last: it deletes what it finds.
        "api": lambda cases: api.run(gateway.url, gateway.admin_token, key, cases, seed, report),
    }
    alive = _processes(gateway)
    for name, run in runs.items():
        if not counts.get(name):
            continue
        began = time.monotonic()
        run(counts[name])
        _is_well(gateway, alive, name, report)
        sys.stdout.write(f"{name}: {counts[name]} cases, {time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()
    if report.operations:
        good = sum(any(status < 300 for status in seen) for seen in report.operations.values())
        sys.stdout.write(f"operations called: {len(report.operations)}, {good} with success\n")
    sys.stdout.write(f"answers by status: {dict(sorted(report.statuses.items()))}\n")


def _processes(gateway: Gateway) -> set[str]:
    process = gateway.process
    assert process is not None
    return set(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())


def _is_well(gateway: Gateway, alive: set[str], name: str, report: Report) -> None:
    if _processes(gateway) != alive:
        report.keep(name, b"", "a process of the gateway has died")
    if gateway.admin.get("/api/status").status_code != 200:
        report.keep(name, b"", "the management API doesn't answer after the run")
    for path in (gateway.data_dir / "logs").glob("*.log"):
        found = [line for line in path.read_text(errors="replace").splitlines() if _EXCEPTION.search(line)]
        for line in found[:3]:
            report.keep(name, line.encode(), f"{len(found)} exceptions in {path.name}: …{line[-500:]}")
        if found:
            # Each part answers for its own.
            path.write_text("")


def run(cases: int, seed: int, only: set[str], gateway: Gateway | None = None) -> Report:
    """The report of a whole run; starts a gateway unless there is one."""
    FOLDER.mkdir(exist_ok=True)
    report = Report(FOLDER)
    http = {name: int(cases * share) for name, share in HTTP_SHARES.items() if not only or name in only}
    inside = parts_in_process(cases - sum(int(cases * share) for share in HTTP_SHARES.values()))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wanted = [name for name in inside if not only or name in only]
        jobs = [pool.submit(in_process, name, inside[name], seed, report) for name in wanted]
        for job in concurrent.futures.as_completed(jobs):
            sys.stdout.write(f"{job.result()}\n")
            sys.stdout.flush()
    if http and gateway is not None:
        over_http(gateway, http, seed, report)
    elif http:
        with tempfile.TemporaryDirectory() as folder:
            own = Gateway(Path(folder) / "data")
            own.start()
            try:
                over_http(own, http, seed, report)
            finally:
                own.stop()
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=int)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1, 2**31) if given.seed is None else given.seed
    sys.stdout.write(f"seed {seed}\n")
    report = run(given.cases, seed, set(given.only))
    targets = len(TARGETS) + len(HTTP_SHARES) if not given.only else len(given.only)
    sys.stdout.write(f"fuzz cases {report.cases} targets {targets} failures {report.failures} seed {seed}\n")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
