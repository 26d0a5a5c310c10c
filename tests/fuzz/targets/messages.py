"""What services read off the bus and out of Redis: catalog entries, usage and credits, replies.

Each is read or refused with the one documented exception; what was read comes back from its own encoding.
"""

import msgspec

from oneapi.catalog import entries, types
from oneapi.catalog.entries import BadEntry
from proto.events.v1.events_pb2 import CatalogChanged, CreditGranted, UsageBatch, UsageSettled
from services.billing import events
from services.billing.events import Unacceptable
from services.billing.rows import credit_row
from services.edge.money import resp
from tests.fuzz.targets.target import Target

_ACCOUNT = types.Account(id="acc_1", name="é", unlimited=True)
_KEY = types.RelayKey(id="key_1", name="k", account_id="acc_1", budgets=(types.Budget(amount_nano=5),))
_PRICE = types.Price(model="m", versions=(types.PriceVersion(id="p", effective_from_ms=1, rates={"input": 2}),))
_EVENT = UsageSettled(
    event_id="req_1:final", request_id="req_1", account_id="acc_1", usage={"input": 3}, amount_nano=7, version=2,
    outcome="ok", reserved_at_ms=1_790_000_000_000, ended_at_ms=1_790_000_000_500, scopes=["acc_1"],
)  # fmt: skip
_CREDIT = CreditGranted(
    event_id="topup:c1", credit_id="c1", account_id="acc_1", amount_nano=5, granted_at_ms=1_790_000_000_000
)


def check_entry(data: bytes) -> None:
    for given in (data, CatalogChanged(kind="account", id="a", payload=data).SerializeToString()):
        try:
            entry = entries.decode(given)
        except BadEntry:
            continue
        again = entries.encode(
            entry.kind, entry.id, entry.revision, entry.value, entry.traceparent, entry.changed_at_ms
        )
        assert entries.decode(again) == entry
        assert entry.deleted == (entry.value is None)
    text = data.decode("utf-8", "replace")
    try:
        kind, name = entries.parse_kv_key(text)
    except BadEntry:
        return
    try:
        filed = entries.kv_key(kind, name)
    except ValueError:
        return
    assert entries.parse_kv_key(filed) == (kind, name)


def check_events(data: bytes) -> None:
    try:
        batch = events.read_usage(data)
    except Unacceptable:
        pass
    else:
        for event in batch.events:
            try:
                events.check_usage(event)
            except Unacceptable:
                continue
            assert events.usage_key(event).request_id
            assert len(events.digest(event)) == 32
            assert 0 <= event.amount_nano <= types.MAX_AMOUNT_NANO
            assert all(0 <= count <= 10**15 for count in event.usage.values())
    try:
        credit = events.read_credit(data)
    except Unacceptable:
        return
    row = credit_row(credit, stream_seq=1, trace_id="")
    assert (row.account_id, row.request_id) == (credit.account_id, credit.event_id)


def _encoded(value: object) -> bytes:
    """A reply as Redis would write it."""
    if isinstance(value, resp.RedisRefused):
        return b"-%b\r\n" % str(value).encode()
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(map(_encoded, value))
    return resp.bulk(value) if isinstance(value, bytes) else b"$-1\r\n"


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, resp.RedisRefused) else value


def check_reply(data: bytes) -> None:
    try:
        value, end = resp.parse(data, 0)
    except (resp.Incomplete, ValueError):
        return
    assert 3 <= end <= len(data)
    # It takes its own bytes and no other: what follows changes nothing, and a part of them is no reply.
    assert _plain(resp.parse(data[:end] + b":1\r\n", 0)[0]) == _plain(value)
    again, _ = resp.parse(_encoded(value), 0)
    assert _plain(again) == _plain(value)
    for cut in range(end):
        try:
            resp.parse(data[:cut], 0)
        except resp.Incomplete:
            continue
        raise AssertionError(f"a part of a reply, {data[:cut]!r}, was taken for a whole one")


TARGETS = {
    "catalog": Target(
        [
            entries.encode("account", "acc_1", 3, _ACCOUNT, "00-1", 5),
            entries.encode("key", "ab", 1, _KEY),
            entries.encode("price", "m\n", 2, _PRICE),
            entries.encode("channel", "ch_1", 9, None),
            msgspec.json.encode(_ACCOUNT),
            b"price.bQo",
            b"account.acc_1",
        ],
        check_entry,
        2,
    ),
    "events": Target(
        [
            UsageBatch(edge_id="e", events=[_EVENT]).SerializeToString(),
            UsageBatch(edge_id="e", end_offset=9, events=[_EVENT, _EVENT]).SerializeToString(),
            _CREDIT.SerializeToString(),
        ],
        check_events,
        2,
    ),
    "redis": Target(
        [
            b"*3\r\n$2\r\nok\r\n:-7\r\n*-1\r\n",
            b"+OK\r\n",
            b"-OOM no\r\n",
            b"$-1\r\n",
            b"*1\r\n" * 12 + b":1\r\n",
            b"*1\r\n" * 1_000,
        ],
        check_reply,
        2,
    ),
}
