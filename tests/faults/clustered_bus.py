"""Three NATS servers with three replicas of every stream, and the leader killed in mid-load: part of the long tests."""

import tempfile
from pathlib import Path

import nats.errors
import pytest
from nats.js import JetStreamContext

from oneapi.bus.subjects import STREAM_LEDGER
from tests.e2e.gateway import eventually
from tests.faults.stage import Stage, answered, on_bus

KILLS = 3


@pytest.mark.timeout(400)
def test_the_leader_of_the_ledger_is_killed() -> None:
    stage = Stage(Path(tempfile.mkdtemp(prefix="oneapi-faults-")), seed=6, nats_nodes=3)
    cluster = stage.cluster

    async def placed(js: JetStreamContext) -> tuple[int, str]:
        info = await js.stream_info(STREAM_LEDGER)
        return info.config.num_replicas or 0, (info.cluster.leader if info.cluster is not None else "") or ""

    def leader() -> str:
        try:
            return on_bus(stage, placed)[1]
        except (nats.errors.Error, TimeoutError, OSError):
            return ""  # nobody leads yet

    try:
        with stage.load() as load:
            assert on_bus(stage, placed)[0] == 3
            for _ in range(KILLS):
                answered(load, 50)
                name = eventually(leader, 60)
                cluster.kill(name)
                answered(load, 100)
                eventually(lambda name=name: leader() not in {"", name}, 60)  # type: ignore[misc]
                cluster.run(name)
                cluster.wait(name)
        verdict = stage.judge()
        assert verdict.good, "\n".join(verdict.complaints)
        assert len(stage.asked) > KILLS * 100
    finally:
        stage.close()
