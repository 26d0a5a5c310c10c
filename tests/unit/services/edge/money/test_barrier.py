from collections.abc import Iterator

from proto.events.v1.events_pb2 import SpoolSync
from services.edge.money.barrier import Barrier
from services.edge.money.records import Opened, Tent
from services.edge.money.spool import SpoolUnavailable

TENT = Tent("rid", "acc", "user", "key", "model", "chat", "", "", True, 100, None, 7, 1)
OPENED = Opened(90, True, ("key:key:total",), 1_000, 2_000)


class Edge:
    def __init__(self) -> None:
        self.markers: list[tuple[str, SpoolSync]] = []
        self.full = False
        self.barrier = Barrier("edge", self.append, self.held)

    def append(self, account_id: str, payload: bytes) -> None:
        if self.full:
            raise SpoolUnavailable("full")
        self.markers.append((account_id, SpoolSync.FromString(payload)))

    def held(self, account_id: str) -> Iterator[tuple[Tent, Opened]]:
        if account_id == "acc":
            yield TENT, OPENED


def test_a_marker_names_what_is_open_once_for_each_rebuild() -> None:
    edge = Edge()
    edge.barrier.asked(b'{"account_id":"acc","rebuild_id":"n1","since":5}')
    edge.barrier.mark("acc", "n1")
    edge.barrier.mark("acc", "")
    edge.barrier.mark("other", "n2")
    (account, first), (_, second) = edge.markers
    assert (account, first.account_id, first.rebuild_id, first.edge_id) == ("acc", "acc", "n1", "edge")
    (open_,) = first.open
    assert (open_.request_id, open_.amount_nano, list(open_.scopes)) == ("rid", 90, ["key:key:total"])
    assert (open_.reserved_at_ms, open_.lease_end_ms) == (1_000, 2_000)
    assert (open_.key_id, open_.user_id, open_.model) == ("key", "user", "model")
    assert (second.rebuild_id, len(second.open)) == ("n2", 0)


def test_a_request_that_cannot_be_read_is_left() -> None:
    edge = Edge()
    for data in (b"", b"{}", b"\xff", b'{"account_id":1,"rebuild_id":"n"}', b'{"account_id":"\xff"}'):
        edge.barrier.asked(data)
    assert edge.markers == []


def test_a_marker_that_could_not_be_written_is_written_when_it_is_asked_for_again() -> None:
    edge = Edge()
    edge.full = True
    edge.barrier.mark("acc", "n1")
    edge.full = False
    edge.barrier.mark("acc", "n1")
    assert len(edge.markers) == 1
