"""Notices about keys under a previous pepper."""

import asyncio

import nats.errors
import pytest

from oneapi.catalog.rehash import AGAIN_S, BadNotice, RehashNotices, read_notice
from oneapi.runtime.relay_keys import KeyHasher
from proto.events.v1.events_pb2 import KeyRehash

HASHER = KeyHasher("new", ["old"])
OLD, NEW = "a" * 64, "b" * 64


class Bus:
    """Remembers what is published, or fails."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.fails = False

    async def publish(self, subject: str, data: bytes) -> None:
        assert subject == "keys.rehash.v1"
        if self.fails:
            raise nats.errors.ConnectionClosedError
        self.sent.append(data)


async def told(bus: Bus, now: list[float]) -> RehashNotices:
    return RehashNotices(bus, HASHER, clock=lambda: now[0])  # type: ignore[arg-type]


async def test_a_key_is_told_of_once_in_a_while() -> None:
    bus, now = Bus(), [100.0]
    notices = await told(bus, now)
    for _ in range(3):
        notices.tell(OLD, NEW)
        await asyncio.sleep(0)
    assert [read_notice(data, HASHER) for data in bus.sent] == [(OLD, NEW)]
    now[0] += AGAIN_S
    notices.tell(OLD, NEW)
    await asyncio.sleep(0)
    assert len(bus.sent) == 2
    await notices.close()


async def test_a_bus_that_is_away_is_no_problem() -> None:
    bus = Bus()
    bus.fails = True
    notices = await told(bus, [1.0])
    notices.tell(OLD, NEW)
    await asyncio.sleep(0)
    await notices.close()
    assert bus.sent == []


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"",
        KeyRehash(old_hash=OLD, new_hash=NEW).SerializeToString(),
        KeyRehash(old_hash=OLD, new_hash=NEW, proof=KeyHasher("old").proof(OLD, NEW)).SerializeToString(),
        KeyRehash(old_hash=NEW, new_hash=OLD, proof=HASHER.proof(OLD, NEW)).SerializeToString(),
        KeyRehash(old_hash="x", new_hash=NEW, proof=HASHER.proof("x", NEW)).SerializeToString(),
    ],
)
def test_what_nobody_of_ours_has_sent(data: bytes) -> None:
    with pytest.raises(BadNotice):
        read_notice(data, HASHER)
