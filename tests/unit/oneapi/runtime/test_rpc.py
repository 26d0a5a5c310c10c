"""What calls between our processes carry."""

import pytest

from oneapi.runtime import telemetry
from oneapi.runtime.rpc import call_metadata, internal_token, target


def test_the_token_belongs_to_the_secret() -> None:
    assert internal_token("a") == internal_token("a") != internal_token("b")
    assert "a secret" not in internal_token("a secret")


def test_metadata_carries_the_token_and_a_sampled_trace() -> None:
    assert call_metadata("a") == (("x-oneapi-internal", internal_token("a")),)
    made = telemetry.setup("test", sample=1, endpoint=None)
    with telemetry.tracer().start_as_current_span("a"):
        traceparent = telemetry.current_traceparent()
        assert traceparent
        assert call_metadata("a")[1] == ("traceparent", traceparent)
    made.shutdown()


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["router:3101"], "dns:///router:3101"),
        (["127.0.0.1:1"], "ipv4:127.0.0.1:1"),
        (["10.0.0.1:1", "10.0.0.2:2"], "ipv4:10.0.0.1:1,10.0.0.2:2"),
        (["[::1]:1", "[::2]:2"], "ipv6:[::1]:1,[::2]:2"),
    ],
)
def test_targets(addresses: list[str], expected: str) -> None:
    assert target(addresses) == expected


@pytest.mark.parametrize("addresses", [[], ["a:1", "b:1"], ["10.0.0.1:1", "a:1"], ["10.0.0.1:1", "[::1]:1"]])
def test_addresses_that_do_not_go_together(addresses: list[str]) -> None:
    with pytest.raises(ValueError, match="gRPC addresses"):
        target(addresses)
