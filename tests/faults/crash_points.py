"""A process is killed exactly at each step of a request's way to the ledger, under load. `make test-faults` runs it."""

import dataclasses
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.gateway import eventually
from tests.faults.cluster import BILLINGS
from tests.faults.load import Load
from tests.faults.stage import Stage, answered

pytestmark = pytest.mark.timeout(300)

MONEY = "services.edge.money"
LIMIT_S = 60.0


@dataclasses.dataclass(frozen=True)
class Point:
    """Where a process ends: a function, before or after it, at its n-th call; `flush` if Redis must be lost first."""

    step: str
    module: str
    function: str
    when: str
    number: int = 20
    flush: bool = False

    @property
    def environment(self) -> dict[str, str]:
        return {"FAULTS_CRASH_AT": f"{self.module}:{self.function}:{self.when}:{self.number}"}

    def __str__(self) -> str:
        return f"{self.step} ({self.when} {self.function})"


EDGE = [
    Point("1 TENT", f"{MONEY}.desk", "OpenRequests.begin", "before"),
    Point("1 TENT", f"{MONEY}.desk", "OpenRequests.begin", "after"),
    Point("2 RESERVE", f"{MONEY}.admission", "Admission.reserve", "before"),
    Point("2 RESERVE", f"{MONEY}.admission", "Admission.reserve", "after"),
    Point("3 OPEN", f"{MONEY}.hold", "Hold.grant", "after"),
    Point("4 ATTEMPT", f"{MONEY}.hold", "Hold.attempt", "before"),
    Point("4 ATTEMPT", f"{MONEY}.hold", "Hold.attempt", "after"),
    Point("5 CHECKPOINT", f"{MONEY}.hold", "Hold.checkpoint", "before", 60),
    Point("5 CHECKPOINT", f"{MONEY}.hold", "Hold.checkpoint", "after", 60),
    Point("6 FINAL", f"{MONEY}.desk", "OpenRequests.close", "before"),
    Point("6 FINAL", f"{MONEY}.settlement", "total_tokens", "before"),
    Point("7 fdatasync", f"{MONEY}.group_sync", "GroupSync._sync", "before"),
    Point("7 fdatasync", f"{MONEY}.group_sync", "GroupSync._sync", "after"),
    Point("8 SETTLE", f"{MONEY}.admission", "Admission.settle", "before"),
    Point("8 SETTLE", f"{MONEY}.admission", "Admission.settle", "after"),
    Point("9 ship", f"{MONEY}.path", "MoneyPath._publish", "before", 5),
    Point("9 PubAck before the cursor", f"{MONEY}.path", "MoneyPath._publish", "after", 5),
    Point("9 cursor", f"{MONEY}.spool", "Spool.move", "after", 9),
    Point("SYNC", f"{MONEY}.barrier", "Barrier.mark", "before", 1, flush=True),
    Point("SYNC", f"{MONEY}.barrier", "Barrier.mark", "after", 1, flush=True),
    Point("recovery", f"{MONEY}.recovery", "finish", "after", 1),
]
BILLING = [
    Point("B1 fetch", "services.billing.intake", "Intake.handle", "before", 4),
    Point("B2 insert", "services.billing.ledger", "Ledger.insert", "before", 3),
    Point("B2 insert", "services.billing.ledger", "Ledger.insert", "after", 3),
    Point("B3 POST", "services.billing.books", "Books.post", "before", 6),
    Point("B3 POST", "services.billing.books", "Books.post", "after", 6),
    Point("B3 POST of all", "services.billing.books", "Books.book", "after", 3),
    Point("B4 acknowledgement", "oneapi.bus.consumer", "BatchConsumer._acknowledge", "before", 3),
    Point("B4 acknowledgement", "oneapi.bus.consumer", "BatchConsumer._acknowledge", "after", 3),
    Point("what the last writer had", "services.billing.takeover", "catch_up", "before", 1),
    Point("rebuild", "oneapi.runtime.redis_functions", "MoneyFunctions.rebuild", "after", 2, flush=True),
    Point("FORCE", "oneapi.runtime.redis_functions", "MoneyFunctions.force", "after", 1, flush=True),
    Point("OPEN", "oneapi.runtime.redis_functions", "MoneyFunctions.open", "before", 2, flush=True),
    Point("OPEN", "oneapi.runtime.redis_functions", "MoneyFunctions.open", "after", 2, flush=True),
]


@pytest.fixture(scope="module")
def whole_stage() -> Iterator[Stage]:
    made = Stage(Path(tempfile.mkdtemp(prefix="oneapi-faults-")), seed=5)
    yield made
    made.close()


@pytest.fixture
def stage(whole_stage: Stage) -> Iterator[Stage]:
    yield whole_stage
    whole_stage.cluster.mend()


def passed(stage: Stage) -> None:
    verdict = stage.judge()
    assert verdict.good, "\n".join(verdict.complaints)


def ended(stage: Stage, load: Load, point: Point) -> bool:
    """Whether the edge has come to the point. Where it recovers requests, it is killed until it has left some open."""
    cluster = stage.cluster
    if point.step == "recovery" and cluster.runs("edge-1") and cluster.plans["edge-1"].ready():
        answered(load, 5)
        cluster.kill("edge-1")
        cluster.run("edge-1", point.environment)
    return not cluster.runs("edge-1")


@pytest.mark.parametrize("point", EDGE, ids=str)
def test_an_edge_dies(stage: Stage, point: Point) -> None:
    cluster = stage.cluster
    with stage.load() as load:
        answered(load, 5)
        cluster.kill("edge-1")
        cluster.run("edge-1", point.environment)
        if point.flush:
            cluster.wait("edge-1")
            cluster.redis().flushall()
        eventually(lambda: ended(stage, load, point), LIMIT_S)
        assert cluster.children["edge-1"].exit_code() == -signal.SIGKILL
        cluster.run("edge-1")
        cluster.wait("edge-1")
        answered(load, 10)
    passed(stage)


@pytest.mark.parametrize("point", [point for point in BILLING if not point.flush], ids=str)
def test_billings_die_one_after_the_other(stage: Stage, point: Point) -> None:
    """Both of them end at the point: the writer, then the other that has taken over."""
    cluster = stage.cluster
    with stage.load() as load:
        for name in BILLINGS:
            cluster.kill(name)
            cluster.run(name, point.environment)
        for name in BILLINGS:
            eventually(lambda name=name: not cluster.runs(name), LIMIT_S)  # type: ignore[misc]
            assert cluster.children[name].exit_code() == -signal.SIGKILL
        for name in BILLINGS:
            cluster.run(name)
            cluster.wait(name)
        answered(load, 10)
    passed(stage)


@pytest.mark.parametrize("point", [point for point in BILLING if point.flush], ids=str)
def test_the_writer_dies_while_it_builds_accounts_anew(stage: Stage, point: Point) -> None:
    """The other one begins the rebuild again, or goes on with the accounts that are open."""
    cluster = stage.cluster
    with stage.load(models=["long", "endless"], workers=6, leaving=0) as load:
        for name in BILLINGS:
            cluster.kill(name)
            cluster.run(name, point.environment)
        writer = eventually(cluster.writer, LIMIT_S)
        answered(load, 10)
        cluster.redis().flushall()
        eventually(lambda: not cluster.runs(writer), LIMIT_S)
        assert cluster.children[writer].exit_code() == -signal.SIGKILL
        # The other one has the same orders, and would die of them at the same place.
        for name in BILLINGS:
            cluster.kill(name)
            cluster.run(name)
            cluster.wait(name)
        answered(load, 10)
    passed(stage)
