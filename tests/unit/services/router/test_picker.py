from collections.abc import Iterable

import pytest

from oneapi.catalog.types import Channel
from oneapi.catalog.view import CatalogView
from proto.router.v1 import router_pb2
from proto.router.v1.router_pb2 import Outcome, OutcomeKind, PickRequest
from services.router.picker import KINDS, Picker
from tests.unit.services.router.arrangements import PROVIDERS, catalog, make_channel, middle


class Bench:
    """A picker with a clock and a catalog that the test changes."""

    def __init__(self, channels: Iterable[Channel]) -> None:
        self.view = catalog(channels)
        self.now = 1_000.0
        self.picker = Picker(lambda: self.view, PROVIDERS.get, lambda: self.now, middle)

    def pick(self, **fields: object) -> router_pb2.Plan:
        return self.picker.pick(PickRequest(model="m", endpoint="chat", **fields))  # type: ignore[arg-type]

    def learn(self, channel: str, kind: OutcomeKind, times: int = 1, model: str = "m", retry_after_ms: int = 0) -> None:
        outcome = Outcome(channel_id=channel, model=model, kind=kind, retry_after_ms=retry_after_ms)
        self.picker.learn([outcome] * times)

    def break_down(self, channel: str) -> None:
        self.learn(channel, router_pb2.OUTCOME_KIND_CONNECT_FAILED, 5)


@pytest.fixture
def bench() -> Bench:
    return Bench([make_channel("a", priority=1, model_mapping={"m": "m-big"}), make_channel("b")])


def test_plan_is_in_order_with_reasons(bench: Bench) -> None:
    plan = bench.pick(pick_id=7, dialects=["openai_chat"])
    assert plan.pick_id == 7
    assert plan.catalog_revision == 1
    assert [(c.channel_id, c.upstream_model, c.dialect) for c in plan.candidates] == [
        ("a", "m-big", "openai_chat"),
        ("b", "m", "openai_chat"),
    ]
    assert all(candidate.reason for candidate in plan.candidates)
    assert plan.refusal == ""


def test_conversions_are_explained(bench: Bench) -> None:
    asked = ["anthropic_messages", "openai_chat"]
    chosen = bench.picker.explain(PickRequest(model="m", endpoint="chat", dialects=asked)).considered
    assert [one.dialect for one in chosen] == ["openai_chat", "openai_chat"]
    assert all("converted from anthropic_messages to openai_chat" in one.reason for one in chosen)
    assert "converted" in bench.pick(dialects=asked).candidates[0].reason


def test_group_defaults(bench: Bench) -> None:
    assert bench.pick(group="default").candidates
    assert bench.pick().candidates
    assert bench.pick(group="vip").refusal == "unknown_model"


def test_refusal_of_all_cooling_says_when_to_come_back(bench: Bench) -> None:
    bench.learn("a", router_pb2.OUTCOME_KIND_RATE_LIMITED, retry_after_ms=8_000)
    bench.learn("b", router_pb2.OUTCOME_KIND_RATE_LIMITED, retry_after_ms=4_000)
    plan = bench.pick()
    assert (list(plan.candidates), plan.refusal) == ([], "all_cooling")
    assert 4_000 <= plan.retry_after_ms <= 5_000
    bench.now += 5
    assert [candidate.channel_id for candidate in bench.pick().candidates] == ["b"]


def test_a_trial_is_given_to_one_request(bench: Bench) -> None:
    bench.view = catalog([make_channel("a")])
    bench.break_down("a")
    assert bench.pick().refusal == "all_cooling"
    bench.now += 10
    assert bench.picker.explain(PickRequest(model="m", endpoint="chat")).considered[0].chosen
    assert bench.pick().candidates
    assert bench.pick().refusal == "all_cooling"
    bench.learn("a", router_pb2.OUTCOME_KIND_OK)
    assert bench.pick().candidates


def test_a_trial_every_ten_seconds_when_all_rest_for_long(bench: Bench) -> None:
    bench.view = catalog([make_channel("a")])
    bench.break_down("a")
    for _ in range(9):
        bench.now += 10 * 60
        assert bench.pick().candidates
        bench.learn("a", router_pb2.OUTCOME_KIND_TIMEOUT)
    tried = 0
    for _ in range(80):
        bench.now += 1
        tried += bool(bench.pick().candidates)
    assert tried == 8, "it rests for 100 s, and is tried in between"


def test_a_changed_channel_begins_anew(bench: Bench) -> None:
    bench.break_down("a")
    assert [candidate.channel_id for candidate in bench.pick().candidates] == ["b"]
    renamed = make_channel("a", priority=1, name="other", weight=4)
    bench.view = catalog([renamed], bench.view, revision=2)
    assert [candidate.channel_id for candidate in bench.pick().candidates] == ["b"]
    bench.view = catalog([make_channel("a", priority=1, api_key_sealed="new")], bench.view, revision=3)
    assert [candidate.channel_id for candidate in bench.pick().candidates] == ["a", "b"]


def test_outcomes_of_what_the_catalog_lacks_are_passed_over(bench: Bench) -> None:
    bench.learn("nobody", router_pb2.OUTCOME_KIND_TIMEOUT, 5)
    bench.learn("a", router_pb2.OUTCOME_KIND_TIMEOUT, 5, model="other")
    bench.learn("a", router_pb2.OUTCOME_KIND_UNSPECIFIED, 5)
    assert bench.picker.resting() == 0
    assert bench.picker._board._channels == {}


def test_every_kind_of_outcome_has_a_meaning() -> None:
    assert set(KINDS) == set(OutcomeKind.values()) - {router_pb2.OUTCOME_KIND_UNSPECIFIED}


def test_explanation_holds_every_channel_with_the_model(bench: Bench) -> None:
    bench.view = catalog(
        [make_channel("c", enabled=False), make_channel("d", groups=("vip",)), make_channel("e", models=("other",))],
        bench.view,
    )
    bench.break_down("b")
    explanation = bench.picker.explain(PickRequest(model="m", endpoint="chat"))
    rows = {row.channel_id: row for row in explanation.considered}
    assert set(rows) == {"a", "b", "c", "d"}
    assert (rows["a"].chosen, rows["a"].place, rows["a"].channel_name) == (True, 1, "A")
    assert rows["b"].reason.startswith("cools down for 10.0 s more: 5 failures in a row")
    assert rows["c"].reason == "switched off"
    assert rows["d"].reason == "not for the group default"
    assert not any(rows[name].chosen for name in "bcd")
    assert explanation.refusal == ""


def test_empty_catalog_knows_no_model() -> None:
    bench = Bench([])
    assert bench.pick().refusal == "unknown_model"
    assert bench.view.revision == CatalogView().revision
