"""Directed faults on what is stored and sent: full disks, torn and damaged spools, events that should not be."""

import contextlib
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from nats.js import JetStreamContext

from oneapi.bus.subjects import STREAM_DEAD_LETTERS, STREAM_LEDGER, USAGE
from proto.events.v1.events_pb2 import UsageBatch, UsageSettled
from services.edge.money import records, segments
from tests.e2e.gateway import eventually
from tests.faults.scenarios import booked_all
from tests.faults.stage import Stage, answered, on_bus

ROOM_LEFT = 20_000


def spool_of(stage: Stage, edge: str) -> Path:
    return stage.cluster.folder / edge / "spool"


def last_segment(stage: Stage, edge: str) -> Path:
    folder = spool_of(stage, edge)
    return folder / segments.file_name(segments.bases(folder)[-1])


@contextlib.contextmanager
def file_size_limit(pid: int, size: int) -> Iterator[None]:
    """No file of a running process may grow beyond this."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def spool_disk_full(stage: Stage) -> None:
    """The disk takes no more of an edge's spool (F29): it admits nothing, ends what runs, and goes on afterwards."""
    cluster = stage.cluster
    alone = [cluster.edge_urls()[0]]
    with stage.load(edges=alone) as load:
        size = last_segment(stage, "edge-1").stat().st_size
        with file_size_limit(cluster.children["edge-1"].pid, size + ROOM_LEFT):
            eventually(lambda: load.tally().refused.get(503, 0) >= 20, 60)
            refusals = [record for record in load.records if record.status == 503]
            assert all(record.retry_after for record in refusals), refusals[0]
        answered(load, 20)


def torn_tail(stage: Stage) -> None:
    """An edge died in the middle of writing a record (F30): the next one cuts it off."""
    cluster = stage.cluster
    with stage.load() as load:
        for kept in (1, segments.HEADER_BYTES, segments.HEADER_BYTES + 20):
            answered(load, 10)
            cluster.kill("edge-1")
            with last_segment(stage, "edge-1").open("ab") as segment:
                segment.write(segments.encode(records.TENT, bytes(60))[:kept])
            cluster.run("edge-1")
            cluster.wait("edge-1")


def damaged_spool(stage: Stage) -> None:
    """A bit of a spool is flipped before sound records (F30): the edge refuses to run, and guesses nothing."""
    cluster = stage.cluster
    with stage.load() as load:
        answered(load, 20)
        cluster.kill("edge-1")
        path = last_segment(stage, "edge-1")
        sound = path.read_bytes()
        found = list(segments.records(sound, 0, 0))
        place = found[-2].end - 1
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 4]) + sound[place + 1 :])
        cluster.run("edge-1")
        try:
            eventually(lambda: not cluster.runs("edge-1"), 30)
        finally:
            path.write_bytes(sound)
        assert cluster.children["edge-1"].exit_code() not in {0, -signal.SIGKILL}
        cluster.run("edge-1")
        cluster.wait("edge-1")
        answered(load, 10)


def poison_events(stage: Stage) -> None:
    """Messages that nothing can be booked from, between good ones (F31): they are put aside, and nothing else is."""

    def spoiled(change: Callable[[UsageSettled], object]) -> Callable[[UsageBatch], bytes]:
        def make(batch: UsageBatch) -> bytes:
            event = UsageSettled.FromString(batch.events[0].SerializeToString())
            event.request_id, event.event_id = "poison", "poison:final"
            change(event)
            return UsageBatch(edge_id="edge-9", events=[event]).SerializeToString()

        return make

    bad: list[Callable[[UsageBatch], bytes]] = [
        lambda _: b"\xff\xfenot a message",
        spoiled(lambda event: setattr(event, "version", 9)),
        spoiled(lambda event: setattr(event, "amount_nano", -5)),
        spoiled(lambda event: setattr(event, "account_id", "")),
        spoiled(lambda event: setattr(event, "event_id", "another:final")),
    ]

    async def publish(js: JetStreamContext) -> tuple[int, int]:
        before = (await js.stream_info(STREAM_DEAD_LETTERS)).state.messages
        batch = await newest_batch(js)
        for make in bad:
            await js.publish(USAGE, make(batch))
        return before, len(bad)

    with stage.load() as load:
        answered(load, 30)
        before, count = on_bus(stage, publish)

        async def put_aside(js: JetStreamContext) -> bool:
            return (await js.stream_info(STREAM_DEAD_LETTERS)).state.messages == before + count

        eventually(lambda: on_bus(stage, put_aside), 60)
        answered(load, 20)


def other_payload(stage: Stage) -> None:
    """Events that are known come again with another amount (F32): the first is kept."""

    async def publish(js: JetStreamContext) -> None:
        batch = await newest_batch(js)
        for event in batch.events:
            event.usage["output"] = event.usage.get("output", 0) + 1_000
            event.amount_nano += 1
        await js.publish(USAGE, batch.SerializeToString())

    with stage.load() as load:
        answered(load, 30)
    booked_all(stage)  # an event must be known before another with its id comes
    with stage.load() as load:
        on_bus(stage, publish)
        answered(load, 20)


async def newest_batch(js: JetStreamContext) -> UsageBatch:
    """The last batch in the stream that has an event."""
    sequence = (await js.stream_info(STREAM_LEDGER)).state.last_seq
    while True:
        message = await js.get_msg(STREAM_LEDGER, sequence)
        batch = UsageBatch.FromString(message.data or b"") if message.subject == USAGE else UsageBatch()
        if batch.events:
            return batch
        sequence -= 1
