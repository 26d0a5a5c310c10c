"""`make test-faults`: load from clients under a schedule of faults, then the check.

`python -m tests.faults.run [--seed N] [--requests N] [--faults N]`. It goes on until all faults have been and so many
requests were answered. The last line is
`requests N faults N lost N double N inexact N overspend_nano N seed N`, where `requests` counts those that an edge's
admission decided on: answered with 200, refused by a limit (402, 429), or without an answer at the client but with a
line in the ledger. Requests that met a 503 or no edge at all are not among them. The exit code is 1 when anything is
wrong.
"""

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.gateway import ROOT
from tests.faults import checker
from tests.faults.cluster import Cluster
from tests.faults.load import Tally, tally
from tests.faults.schedule import Fault, draw
from tests.faults.stage import Stage

MAX_SECONDS = 900
LEAVERS = 0.2
"""Share of the answered streams whose client must have left in the middle; looked at from `ENOUGH_STREAMS` on."""
ENOUGH_STREAMS = 200


def inflict(cluster: Cluster, fault: Fault) -> None:
    """One fault, from its beginning to its end."""
    print(f"  {time.strftime('%H:%M:%S')} {fault.kind} {fault.subject} {fault.toxic} {fault.seconds:.1f} s", flush=True)
    if fault.kind == "kill":
        cluster.kill(fault.subject)
        time.sleep(fault.seconds)
        cluster.run(fault.subject)
    elif fault.kind == "suspend":
        cluster.suspend(fault.subject)
        time.sleep(fault.seconds)
        cluster.resume(fault.subject)
    elif fault.kind == "flush":
        cluster.redis().flushall()
    else:
        cluster.poison(fault.subject, fault.toxic, fault.seconds)
        time.sleep(fault.seconds)


def run(
    folder: Path, seed: int, requests: int, faults: Sequence[Fault], root: Path = ROOT, *, workers: int = 16
) -> tuple[checker.Verdict, Tally]:
    """One whole run; the cluster's logs stay in `folder`."""
    stage = Stage(folder, root, seed=seed)
    try:
        deadline = time.monotonic() + MAX_SECONDS
        with stage.load(workers=workers) as load:
            for fault in faults:
                time.sleep(fault.after_s)
                inflict(stage.cluster, fault)
            while load.tally().answered < requests and time.monotonic() < deadline:
                time.sleep(0.1)
        return stage.judge(), tally(stage.asked)
    finally:
        stage.close()


def summary(verdict: checker.Verdict, faults: int, seed: int) -> str:
    """The last line."""
    return (
        f"requests {verdict.requests} faults {faults} lost {verdict.lost} double {verdict.double} "
        f"inexact {verdict.inexact} overspend_nano {verdict.overspend_nano} seed {seed}"
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--requests", type=int, default=10_000, help="how many must be answered, at least")
    parser.add_argument("--faults", type=int, default=30)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="oneapi-faults-"))
    print(f"seed {options.seed}, logs in {folder}", flush=True)
    faults = draw(options.seed, options.faults) if options.faults else []
    verdict, counts = run(folder, options.seed, options.requests, faults)
    for complaint in verdict.complaints:
        print(complaint)
    print(counts)
    print(f"looked at Redis {verdict.samples} times; broken: {dict(verdict.broken) or 'nothing'}")
    enough_left = counts.streams < ENOUGH_STREAMS or counts.left >= LEAVERS * counts.streams
    if not enough_left:
        print(f"too few clients left in the middle for this run to count: {counts.left} of {counts.streams} streams")
    print(summary(verdict, len(faults), options.seed))
    return 0 if verdict.good and enough_left and counts.answered >= options.requests else 1


if __name__ == "__main__":
    sys.exit(main())
