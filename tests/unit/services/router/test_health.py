import pytest

from services.router.health import CLEAR, HealthBoard, Kind, Phase
from tests.unit.services.router.arrangements import middle, seeded

FAILURES = [Kind.CONNECT_FAILED, Kind.TIMEOUT, Kind.SERVER_ERROR]


class Bench:
    """A board with a clock that the test moves, and one channel with two models."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.board = HealthBoard(middle)

    def report(self, kind: Kind, times: int = 1, model: str = "m", retry_after_s: float = 0.0) -> None:
        for _ in range(times):
            self.board.report("c", model, kind, retry_after_s, self.now)

    def phase(self, model: str = "m") -> Phase:
        return self.board.standing("c", model, self.now).phase

    def back_in(self, model: str = "m") -> float:
        return self.board.standing("c", model, self.now).back_in_s

    def try_once(self, model: str = "m") -> None:
        self.board.take_trial("c", model, self.now)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_unknown_is_healthy(bench: Bench) -> None:
    assert bench.board.standing("c", "m", bench.now) is CLEAR


@pytest.mark.parametrize("kind", FAILURES)
def test_five_failures_in_a_row_eject(bench: Bench, kind: Kind) -> None:
    bench.report(kind, 4)
    assert bench.phase() is Phase.CLEAR
    bench.report(kind)
    assert bench.phase() is Phase.EJECTED
    assert bench.back_in() == 10
    assert bench.phase("other") is Phase.CLEAR


def test_one_success_breaks_the_row(bench: Bench) -> None:
    bench.report(Kind.SERVER_ERROR, 4)
    bench.report(Kind.OK)
    bench.report(Kind.SERVER_ERROR, 4)
    assert bench.phase() is Phase.CLEAR


def test_callers_mistakes_say_nothing(bench: Bench) -> None:
    bench.report(Kind.SERVER_ERROR, 4)
    bench.report(Kind.NEUTRAL, 50)
    bench.report(Kind.SERVER_ERROR)
    assert bench.phase() is Phase.EJECTED


def test_half_of_twenty_within_ten_seconds_eject(bench: Bench) -> None:
    for _ in range(9):
        bench.report(Kind.OK)
        bench.report(Kind.SERVER_ERROR)
        bench.now += 1
    bench.now -= 9
    bench.report(Kind.OK)
    assert bench.phase() is Phase.CLEAR
    bench.report(Kind.SERVER_ERROR)
    assert bench.phase() is Phase.EJECTED


def test_outcomes_older_than_the_window_do_not_count(bench: Bench) -> None:
    for _ in range(9):
        bench.report(Kind.OK)
        bench.report(Kind.SERVER_ERROR)
    bench.now += 10
    bench.report(Kind.OK)
    bench.report(Kind.SERVER_ERROR)
    assert bench.phase() is Phase.CLEAR


def test_outcomes_of_requests_that_began_before_change_nothing(bench: Bench) -> None:
    bench.report(Kind.SERVER_ERROR, 5)
    bench.now += 4
    bench.report(Kind.SERVER_ERROR, 20)
    bench.report(Kind.OK)
    assert bench.phase() is Phase.EJECTED
    assert bench.back_in() == 6


def test_half_open_lets_one_trial_through_at_a_time(bench: Bench) -> None:
    bench.report(Kind.SERVER_ERROR, 5)
    bench.now += 10
    assert bench.phase() is Phase.HALF_OPEN
    bench.try_once()
    assert bench.phase() is Phase.EJECTED
    bench.now += 9.9
    assert bench.phase() is Phase.EJECTED
    bench.now += 0.2
    assert bench.phase() is Phase.HALF_OPEN, "an outcome that never comes must not hold the place for ever"


def test_neutral_outcome_ends_a_trial_without_a_verdict(bench: Bench) -> None:
    bench.report(Kind.SERVER_ERROR, 5)
    bench.now += 10
    bench.try_once()
    bench.report(Kind.NEUTRAL)
    assert bench.phase() is Phase.HALF_OPEN


def test_success_of_the_trial_brings_it_back_by_and_by(bench: Bench) -> None:
    bench.report(Kind.SERVER_ERROR, 5)
    bench.now += 10
    bench.try_once()
    bench.report(Kind.OK)
    shares = []
    for _ in range(4):
        standing = bench.board.standing("c", "m", bench.now)
        assert standing.phase is Phase.CLEAR
        shares.append(round(standing.share, 2))
        bench.now += 10
    assert shares == [0.1, 0.4, 0.7, 1.0]


def test_rests_grow_and_are_capped(bench: Bench) -> None:
    rests = []
    bench.report(Kind.SERVER_ERROR, 5)
    for _ in range(40):
        rests.append(round(bench.back_in()))
        bench.now += bench.back_in()
        bench.try_once()
        bench.report(Kind.TIMEOUT)
    assert rests[:4] == [10, 20, 30, 40]
    assert rests[-1] == 300


def test_good_health_takes_the_count_back(bench: Bench) -> None:
    bench.report(Kind.SERVER_ERROR, 5)
    for _ in range(3):
        bench.now += bench.back_in()
        bench.try_once()
        bench.report(Kind.TIMEOUT)
    bench.now += bench.back_in()
    bench.report(Kind.OK)
    bench.now += 125
    bench.report(Kind.SERVER_ERROR, 5)
    assert bench.back_in() == pytest.approx(30), "four ejections in a row, less two for two good minutes, and this one"


def test_rests_are_spread_by_a_quarter() -> None:
    rests = set()
    random = seeded()
    for _ in range(200):
        board = HealthBoard(random)
        for _ in range(5):
            board.report("c", "m", Kind.TIMEOUT, 0, 0.0)
        rests.add(board.standing("c", "m", 0.0).back_in_s)
    assert 7.5 <= min(rests) < 8
    assert 12 < max(rests) <= 12.5


def test_rate_limit_rests_for_what_was_asked(bench: Bench) -> None:
    board = HealthBoard(lambda: 0.0)
    board.report("c", "m", Kind.RATE_LIMITED, 20, 0.0)
    assert board.standing("c", "m", 19.9).phase is Phase.STOPPED
    assert board.standing("c", "m", 20.1).phase is Phase.CLEAR
    board.report("c", "m", Kind.RATE_LIMITED, 86_400, 30.0)
    assert board.standing("c", "m", 30.0).back_in_s == 300, "a day's quota is asked about again"


def test_rate_limit_without_a_time_rests_shortly_and_longer_each_time(bench: Bench) -> None:
    rests = []
    for _ in range(6):
        bench.report(Kind.RATE_LIMITED, 10)
        rests.append(round(bench.back_in(), 3))
        bench.now += bench.back_in()
    assert rests == [2, 4, 8, 16, 30, 30]
    bench.report(Kind.OK)
    bench.report(Kind.RATE_LIMITED)
    assert bench.back_in() == pytest.approx(2)


def test_rate_limits_never_eject(bench: Bench) -> None:
    bench.report(Kind.RATE_LIMITED, 100)
    bench.now += bench.back_in()
    assert bench.phase() is Phase.CLEAR


def test_server_error_may_ask_to_wait(bench: Bench) -> None:
    bench.report(Kind.SERVER_ERROR, retry_after_s=7)
    assert bench.phase() is Phase.STOPPED
    assert bench.back_in() >= 7


def test_rate_limit_as_a_trials_answer_ends_the_ejection(bench: Bench) -> None:
    bench.report(Kind.SERVER_ERROR, 5)
    bench.now += 10
    bench.try_once()
    bench.report(Kind.RATE_LIMITED)
    assert bench.phase() is Phase.STOPPED
    bench.now += bench.back_in()
    assert bench.phase() is Phase.CLEAR


def test_bad_credential_takes_every_model_out_for_minutes(bench: Bench) -> None:
    bench.report(Kind.UNAUTHORIZED)
    assert bench.phase() is Phase.STOPPED
    assert bench.phase("other") is Phase.STOPPED
    assert bench.back_in() == pytest.approx(300)
    bench.now += 300
    assert bench.phase("other") is Phase.HALF_OPEN
    bench.try_once("other")
    assert bench.phase() is Phase.STOPPED, "the credential is one: a trial of one model is a trial of all"
    bench.report(Kind.UNAUTHORIZED, model="other")
    assert bench.back_in() == pytest.approx(600)
    bench.now += 600
    bench.try_once()
    bench.report(Kind.OK)
    assert bench.phase("other") is Phase.CLEAR


def test_credential_that_works_elsewhere_is_good(bench: Bench) -> None:
    bench.report(Kind.OK, model="other")
    bench.now += 30
    bench.report(Kind.UNAUTHORIZED)
    assert bench.phase() is Phase.STOPPED
    assert bench.phase("other") is Phase.CLEAR
    bench.report(Kind.UNAUTHORIZED, model="other")
    assert bench.phase("third") is Phase.STOPPED, "no other model has worked lately"


def test_changes_are_told_once(bench: Bench) -> None:
    board = bench.board
    told = [board.report("c", "m", Kind.TIMEOUT, 0, 0.0) for _ in range(7)]
    assert [change is not None for change in told] == [False] * 4 + [True, False, False]
    change = told[4]
    assert change is not None
    assert (change.model, change.resting, change.seconds) == ("m", True, 10)
    assert change.reason == "5 failures in a row, the last: timeout"
    board.take_trial("c", "m", 10.0)
    back = board.report("c", "m", Kind.OK, 0, 11.0)
    assert back is not None
    assert not back.resting
    whole = board.report("c", "m", Kind.UNAUTHORIZED, 0, 12.0)
    assert whole is not None
    assert whole.model == ""


def test_forgotten_channels_begin_anew(bench: Bench) -> None:
    bench.report(Kind.UNAUTHORIZED)
    assert bench.board.resting(bench.now) == 1
    bench.board.forget(["c", "never heard of"])
    assert bench.phase() is Phase.CLEAR
    assert bench.board.resting(bench.now) == 0
