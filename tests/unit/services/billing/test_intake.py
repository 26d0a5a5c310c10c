"""Which messages of a batch are booked, and which are put aside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import PubAck

from oneapi.bus.subjects import CREDIT, USAGE
from oneapi.catalog.view import CatalogView
from proto.events.v1.events_pb2 import SpoolSync, UsageBatch
from services.billing.books import Books, Inserted
from services.billing.intake import Intake
from services.billing.ledger import Plan
from services.billing.rows import LedgerRow
from tests.unit.services.billing.making import credit_event, usage_event


@dataclass
class PlayedMessage:
    subject: str
    data: bytes
    stream: int
    headers: dict[str, str] | None = None
    is_acked: bool = False

    @property
    def metadata(self) -> Any:
        return self

    @property
    def sequence(self) -> Any:
        return self


@dataclass
class PlayedBus:
    """Takes what is put aside, and what is booked; fails as often as it is told."""

    aside: list[tuple[str, bytes]] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    booked: list[list[LedgerRow]] = field(default_factory=list)
    failures: int = 0

    async def publish(self, subject: str, payload: bytes, **_: Any) -> PubAck:
        self.aside.append((subject, payload))
        return PubAck(stream="LEDGER_DLQ", seq=1)

    async def dead_letter(self, msg: Any, why: str) -> None:
        self.whole.append(msg.stream)
        msg.is_acked = True

    async def book(self, rows: Sequence[LedgerRow], on_insert: Callable[[Inserted], None]) -> Plan:
        if self.failures:
            self.failures -= 1
            raise OSError("not now")
        self.booked.append(list(rows))
        on_insert(Inserted(rows, 1, 2))
        return Plan(rows=list(rows))


def intake(bus: PlayedBus, markers: list[SpoolSync]) -> Intake:
    return Intake(
        cast(JetStreamContext, bus),
        bus,
        cast(Books, bus),
        CatalogView,
        markers.append,
    )


def messages(*found: PlayedMessage) -> list[Msg]:
    return cast(list[Msg], list(found))


def batch(*events: Any, syncs: Sequence[SpoolSync] = ()) -> bytes:
    return UsageBatch(edge_id="e", events=events, syncs=syncs).SerializeToString()


async def test_one_bad_event_is_put_aside_alone_and_a_bad_message_whole() -> None:
    bus, markers = PlayedBus(), list[SpoolSync]()
    marker = SpoolSync(account_id="acc_1", rebuild_id="rb", edge_id="e")
    good, bad = usage_event(), usage_event(request_id="r2", outcome="")
    await intake(bus, markers).handle(
        messages(
            PlayedMessage(USAGE, batch(good, bad, syncs=[marker]), 1),
            PlayedMessage(USAGE, b"\xff", 2),
            PlayedMessage("ledger.other", b"", 3),
            PlayedMessage(CREDIT, credit_event().SerializeToString(), 4),
        )
    )
    assert [[row.event_id for row in rows] for rows in bus.booked] == [["r1:final", "topup:cr_1"]]
    assert bus.whole == [2, 3]
    ((subject, payload),) = bus.aside
    assert subject == f"ledger_dlq.{USAGE}"
    again = UsageBatch()
    again.ParseFromString(payload)
    assert list(again.events) == [bad]
    assert markers == [marker]


async def test_markers_are_told_only_when_what_came_before_is_booked() -> None:
    bus, markers = PlayedBus(failures=1), list[SpoolSync]()
    subject = intake(bus, markers)
    taken = messages(
        PlayedMessage(USAGE, b"\xff", 1),
        PlayedMessage(USAGE, batch(usage_event(), syncs=[SpoolSync(account_id="acc_1")]), 2),
    )
    try:
        await subject.handle(taken)
    except OSError:
        assert markers == []
    await subject.handle(taken)
    assert len(markers) == 1
    # What was put aside by the first attempt is not put aside again.
    assert bus.whole == [1]


async def test_a_credit_keeps_the_trace_of_its_message() -> None:
    bus = PlayedBus()
    headers = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
    await intake(bus, []).handle(messages(PlayedMessage(CREDIT, credit_event().SerializeToString(), 1, headers)))
    assert bus.booked[0][0].trace_id == "ab" * 16
