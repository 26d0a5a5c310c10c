import pytest

from services.edge.money import refusals
from services.edge.money.reserve_call import Refused


def test_a_spent_budget_is_402_with_the_numbers_and_the_reset() -> None:
    error = refusals.refusal(
        Refused(0, "budget", 2_000_000_000, 1_999_000_000, "key:k:day:2026-11-25", 1_795_651_200_000), 5_000_000
    )
    assert (error.status, error.kind, error.code, error.retry_after_s) == (402, "budget", "budget_exceeded", None)
    assert error.details == {
        "rule": "budget", "limit_usd": "2", "used_usd": "1.999", "needed_usd": "0.005", "window": "day",
        "scope": "key:k:day:2026-11-25", "resets_at": "2026-11-26T00:00:00Z",
    }  # fmt: skip
    for number in ("2 USD", "1.999 USD", "0.005 USD", "2026-11-26T00:00:00Z"):
        assert number in error.message


def test_a_total_budget_never_resets() -> None:
    error = refusals.refusal(Refused(0, "budget", 2, 2, "key:k:total", 0), 1)
    assert error.details["window"] == "total"
    assert "resets" not in error.message


def test_no_credit_is_402() -> None:
    error = refusals.refusal(Refused(0, "credits", 0, 0, "", 0), 1)
    assert (error.status, error.code) == (402, "insufficient_credit")
    assert error.details["needed_usd"] == "0.000000001"


@pytest.mark.parametrize("rule", ["rpm", "tpm", "concurrency"])
@pytest.mark.parametrize(("wait_ms", "wait_s"), [(1, 1), (1_000, 1), (8_001, 9)])
def test_a_rate_is_429_with_a_time_to_wait(rule: str, wait_ms: int, wait_s: int) -> None:
    error = refusals.refusal(Refused(0, rule, 7, 7, "", wait_ms), 1)
    assert (error.status, error.kind, error.retry_after_s) == (429, "rate_limit", wait_s)
    assert error.details == {"rule": rule, "limit": 7, "used": 7, "retry_after_s": wait_s}
    assert f"{wait_s} s" in error.message


def test_what_cannot_be_known_is_503_and_worth_another_try() -> None:
    for error in (refusals.quota_unavailable(), refusals.usage_log_unavailable()):
        assert error.status == 503
        assert error.retry_after_s
