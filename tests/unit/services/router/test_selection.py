import collections

import pytest

from services.router.health import CLEAR, Phase, Standing
from services.router.routes import LeftOut, Reach, Route
from services.router.selection import MAX_CANDIDATES, Decision, decide
from tests.unit.services.router.arrangements import make_route, seeded

HALF_OPEN = Standing(Phase.HALF_OPEN, reason="half-open")
LIMITED = Standing(Phase.STOPPED, back_in_s=3, reason="rate-limited")


def ejected(back_in_s: float, trial_in_s: float = 5.0) -> Standing:
    return Standing(Phase.EJECTED, back_in_s=back_in_s, trial_in_s=trial_in_s, reason="ejected")


def reach(*routes: Route) -> Reach:
    return Reach(tuple(sorted(routes, key=lambda route: (-route.priority, route.channel_id))), (), "")


def plan(*routes: Route, affinity: str = "", seed: int = 1, **standings: Standing) -> Decision:
    return decide(reach(*routes), lambda route: standings.get(route.channel_id, CLEAR), affinity, seeded(seed))


def ids(decision: Decision) -> list[str]:
    return [place.route.channel_id for place in decision.chosen]


def test_refusals_of_the_routes_are_passed_on() -> None:
    left = LeftOut("a", "A", "m", "switched off")
    decision = decide(Reach((), (left,), "no_channel"), lambda _: CLEAR, "", seeded())
    assert decision == Decision((), (left,), "no_channel")


def test_higher_priority_comes_first_and_says_so() -> None:
    decision = plan(make_route("a", 1, 100), make_route("b", 2), make_route("c", 1))
    assert ids(decision)[0] == "b"
    assert decision.chosen[0].reason == "highest priority, 2"
    assert decision.chosen[1].reason.startswith("fallback, drawn by weight")


def test_the_only_one_says_so() -> None:
    assert plan(make_route("a")).chosen[0].reason == "the only channel that can serve it now"


def test_equals_are_first_in_proportion_to_their_weight() -> None:
    draw = seeded(7)
    routes = reach(make_route("a", weight=1), make_route("b", weight=3), make_route("c", weight=6))
    first: collections.Counter[str] = collections.Counter()
    second: collections.Counter[str] = collections.Counter()
    for _ in range(20_000):
        decision = decide(routes, lambda _: CLEAR, "", draw)
        first[decision.chosen[0].route.channel_id] += 1
        if decision.chosen[0].route.channel_id == "c":
            second[decision.chosen[1].route.channel_id] += 1
    assert first["a"] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert first["b"] / 20_000 == pytest.approx(0.3, abs=0.015)
    assert second["b"] / second.total() == pytest.approx(0.75, abs=0.02)


def test_weight_zero_is_a_last_choice_of_its_priority() -> None:
    for seed in range(50):
        decision = plan(make_route("zero", 1, 0), make_route("a", 1), make_route("low"), seed=seed)
        assert ids(decision) == ["a", "zero", "low"]


def test_affinity_prefers_the_same_channel() -> None:
    routes = [make_route(name) for name in "abc"]
    orders = {tuple(ids(plan(*routes, affinity="user-7", seed=seed))) for seed in range(20)}
    assert len(orders) == 1
    assert plan(*routes, affinity="user-7").chosen[0].reason.startswith("preferred by affinity 1 of 3")


def test_affinity_spreads_by_weight_and_moves_only_what_it_must() -> None:
    routes = [make_route("a"), make_route("b"), make_route("c", weight=2)]
    before = {user: ids(plan(*routes, affinity=f"user-{user}"))[0] for user in range(4_000)}
    shares = collections.Counter(before.values())
    assert shares["c"] / 4_000 == pytest.approx(0.5, abs=0.03)
    after = {user: ids(plan(*routes[:2], affinity=f"user-{user}"))[0] for user in range(4_000)}
    assert all(after[user] == channel for user, channel in before.items() if channel != "c")


def test_affinity_does_not_beat_priority() -> None:
    routes = [make_route("a"), make_route("b", 1)]
    assert all(ids(plan(*routes, affinity=str(number)))[0] == "b" for number in range(50))


def test_a_channel_that_comes_back_gets_a_part_of_its_share() -> None:
    draw = seeded(3)
    standings = {"a": Standing(share=0.25, reason="coming back")}
    routes = reach(make_route("a"), make_route("b"))
    firsts = [
        decide(routes, lambda route: standings.get(route.channel_id, CLEAR), "", draw).chosen[0].route.channel_id
        for _ in range(10_000)
    ]
    assert firsts.count("a") / 10_000 == pytest.approx(0.2, abs=0.015)


def test_resting_channels_are_left_out_with_the_reason() -> None:
    decision = plan(make_route("a"), make_route("b"), make_route("c"), a=ejected(8), b=LIMITED)
    assert ids(decision) == ["c"]
    assert {left.channel_id: left.reason for left in decision.left_out} == {"a": "ejected", "b": "rate-limited"}


def test_half_open_goes_first_among_its_equals_as_a_trial() -> None:
    for seed in range(20):
        decision = plan(make_route("a"), make_route("b"), make_route("high", 1), b=HALF_OPEN, seed=seed)
        assert ids(decision) == ["high", "b", "a"]
        assert [place.trial for place in decision.chosen] == [False, True, False]


def test_no_more_than_half_are_left_out_for_failures() -> None:
    routes = [make_route(name, 9 if name in "ab" else 0) for name in "abcde"]
    decision = plan(*routes, a=ejected(30), b=ejected(20), c=ejected(10), d=ejected(40))
    assert ids(decision) == ["e", "c", "b"], "the nearest to their return, after everything that works"
    assert [place.trial for place in decision.chosen] == [False, True, True]
    assert decision.chosen[1].reason.startswith("last resort")
    assert {left.channel_id for left in decision.left_out} == {"a", "d"}


def test_exactly_half_may_be_left_out() -> None:
    decision = plan(make_route("a"), make_route("b"), a=ejected(10))
    assert ids(decision) == ["b"]


def test_those_without_a_credential_or_rate_do_not_count_for_the_half() -> None:
    decision = plan(*(make_route(name) for name in "abcd"), a=ejected(10), b=LIMITED, c=LIMITED)
    assert ids(decision) == ["d"]


def test_when_all_are_ejected_the_request_is_refused_until_a_trial_is_due() -> None:
    routes = [make_route("a"), make_route("b"), make_route("c")]
    decision = plan(*routes, a=ejected(60, trial_in_s=4), b=ejected(50, trial_in_s=6), c=LIMITED)
    assert (decision.chosen, decision.refusal, decision.retry_after_s) == ((), "all_cooling", 3)
    assert len(decision.left_out) == 3
    decision = plan(*routes, a=ejected(60, trial_in_s=0), b=ejected(50, trial_in_s=6), c=LIMITED)
    assert ids(decision) == ["a"]
    assert decision.chosen[0].trial
    assert decision.chosen[0].reason.startswith("trial, because every channel rests")
    assert {left.channel_id for left in decision.left_out} == {"b", "c"}


def test_rate_limits_alone_are_waited_for() -> None:
    decision = plan(make_route("a"), make_route("b"), a=LIMITED, b=Standing(Phase.STOPPED, back_in_s=0.4, reason="x"))
    assert (decision.refusal, decision.retry_after_s) == ("all_cooling", 0.4)


def test_a_plan_is_short() -> None:
    decision = plan(*(make_route(f"c{number:02}") for number in range(30)))
    assert len(decision.chosen) == MAX_CANDIDATES
    assert len(decision.left_out) == 30 - MAX_CANDIDATES
