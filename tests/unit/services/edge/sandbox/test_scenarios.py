from typing import Any

import pytest

from oneapi.dialects.errors import GatewayError
from services.edge.sandbox import scenarios


def test_a_name_is_taken_out_and_the_rest_stays() -> None:
    raw: dict[str, Any] = {"model": "m", "metadata": {"sandbox": "length", "user_id": "u"}}
    found, rest = scenarios.take(raw)
    assert found is scenarios.SCENARIOS["length"]
    assert rest == {"model": "m", "metadata": {"user_id": "u"}}
    assert scenarios.take({"metadata": {"sandbox": "slow"}})[1] == {}
    assert raw["metadata"] == {"sandbox": "length", "user_id": "u"}


@pytest.mark.parametrize("metadata", [None, 1, "length", [], {}, {"user_id": "u"}])
def test_without_a_name_nothing_is_taken(metadata: object) -> None:
    assert scenarios.take({"metadata": metadata}) == (scenarios.PLAIN, {"metadata": metadata})


@pytest.mark.parametrize("name", ["", "Length", "nothing", None, 1, [], {}, ["length"]])
def test_an_unknown_name_is_refused_with_all_that_are_known(name: object) -> None:
    with pytest.raises(GatewayError) as refused:
        scenarios.take({"metadata": {"sandbox": name}})
    assert (refused.value.status, refused.value.param) == (400, "metadata.sandbox")
    assert all(known in refused.value.message for known in scenarios.SCENARIOS)


def test_errors_have_true_statuses_and_are_new_each_time() -> None:
    told = {name: found.error for name, found in scenarios.SCENARIOS.items() if found.error is not None}
    assert {name: error().status for name, error in told.items()} == {
        "rate_limit": 429,
        "overloaded": 503,
        "server_error": 500,
        "mid_stream_error": 502,
    }
    assert told["rate_limit"]().retry_after_s
    assert told["rate_limit"]() is not told["rate_limit"]()
