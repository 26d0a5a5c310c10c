import pytest

from oneapi.dialects.errors import GatewayError
from proto.router.v1 import router_pb2
from services.edge.upstream.failures import Kind, from_status, parse_retry_after


@pytest.mark.parametrize(
    ("status", "kind", "shown", "final"),
    [
        (400, Kind.CLIENT_ERROR, 400, True),
        (404, Kind.CLIENT_ERROR, 404, True),
        (422, Kind.CLIENT_ERROR, 422, True),
        (401, Kind.UNAUTHORIZED, 502, False),
        (402, Kind.UNAUTHORIZED, 502, False),
        (403, Kind.UNAUTHORIZED, 502, False),
        (408, Kind.SERVER_ERROR, 504, False),
        (409, Kind.SERVER_ERROR, 504, False),
        (424, Kind.SERVER_ERROR, 502, False),
        (429, Kind.RATE_LIMITED, 429, False),
        (301, Kind.SERVER_ERROR, 502, False),
        (500, Kind.SERVER_ERROR, 502, False),
        (503, Kind.SERVER_ERROR, 503, False),
        (529, Kind.SERVER_ERROR, 503, False),
    ],
)
def test_what_a_status_means(status: int, kind: Kind, shown: int, final: bool) -> None:
    failure = from_status(status, 7.0, None)
    assert (failure.kind, failure.error.status, failure.final) == (kind, shown, final)
    if shown in {429, 503}:
        assert failure.error.retry_after_s == 7


def test_what_a_body_says_more_than_its_status() -> None:
    """Google refuses a bad key with 400, and says when to come back in the body."""
    key = from_status(400, 0.0, GatewayError(400, "authentication", "x", "API key not valid."))
    assert (key.kind, key.error.status, key.final) == (Kind.UNAUTHORIZED, 502, False)
    assert "API key" not in key.error.message
    for told, header, seconds in ((3.0, 0.0, 3.0), (3.0, 7.0, 7.0), (1e9, 0.0, 3600.0)):
        slow = from_status(429, header, GatewayError(429, "rate_limit", "x", "Slow down.", retry_after_s=told))
        assert (slow.retry_after_s, slow.error.retry_after_s) == (seconds, seconds)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("999999", 3600.0),
        ("nan", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 10.0),
        ("Thu, 01 Jan 1970 00:00:40 GMT", 0.0),
    ],
)
def test_retry_after(value: str, seconds: float) -> None:
    assert parse_retry_after(value, now_s=90.0) == seconds


def test_every_kind_has_a_word_for_the_router() -> None:
    told = [kind.outcome for kind in Kind if kind is not Kind.STOPPED]
    assert sorted(told) == sorted(
        value for value in router_pb2.OutcomeKind.values() if value != router_pb2.OUTCOME_KIND_UNSPECIFIED
    )
