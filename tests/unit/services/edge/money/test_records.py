import msgspec
import pytest

from services.edge.money import records
from services.edge.money.records import AttemptDone, Attempted, Checkpoint, Detail, Opened, Tent

TENT = Tent(
    "rid", "acc", "user", "key", "model", "chat", "client", "", True, 10**15, {"input": 1}, 7, 1_796_000_000_000
)


def test_a_tent_comes_back() -> None:
    assert records.decode_tent(records.encode_tent(TENT)) == TENT


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        (records.OPEN, Opened(5, True, ("key:k:total",), 1, 2)),
        (records.ATTEMPT, Attempted(1, "ch", "gpt", "price", None)),
        (records.ATTEMPT_DONE, AttemptDone(1, 200, "ok", 12)),
        (records.CHECKPOINT, Checkpoint(2**40, {"input": 3})),
        (records.CHECKPOINT, Checkpoint(0, None)),
    ],
)
def test_a_detail_comes_back_with_its_ticket(kind: int, detail: Detail) -> None:
    payload = records.encode_detail(2**50, detail)
    assert records.decode_detail(kind, payload) == detail
    assert records.ticket_of(payload) == 2**50


def test_an_event_stays_as_it_is() -> None:
    payload = records.encode_event(9, b"event")
    assert (records.ticket_of(payload), records.event_of(payload)) == (9, b"event")


@pytest.mark.parametrize("kind", [records.OPEN, records.ATTEMPT, records.CHECKPOINT, records.FINAL, 31])
@pytest.mark.parametrize("payload", [bytes(8), bytes(8) + b"\x95\x01\xa1\xff\xa1\xff\xa1\xff\xc0"])
def test_what_was_never_written_so_is_refused(kind: int, payload: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        records.decode_detail(kind, payload)
    with pytest.raises(msgspec.MsgspecError):
        records.decode_tent(records.encode_tent(TENT).replace(b"rid", b"r\xffd"))
    with pytest.raises(msgspec.MsgspecError):
        records.ticket_of(payload[:7])
