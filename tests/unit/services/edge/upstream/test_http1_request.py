import pytest

from oneapi.runtime.egress.addresses import Place, check_url
from services.edge.upstream.http1_request import prepare


@pytest.mark.parametrize(
    ("url", "line", "place"),
    [
        ("https://api.x.example/v1/a?b=c", "/v1/a?b=c", Place("api.x.example", 443, True, False)),
        ("http://127.0.0.1:8080/v1", "/v1", Place("127.0.0.1", 8080, False, True)),
        ("http://[::1]:81/", "/", Place("::1", 81, False, True)),
        ("https://API.x.example", "/", Place("api.x.example", 443, True, False)),
    ],
)
def test_the_head_of_a_call(url: str, line: str, place: Place) -> None:
    made = prepare(check_url(url, True), [("Authorization", "Bearer k"), ("X-U", "ü")])
    host = {"api.x.example": "api.x.example", "127.0.0.1": "127.0.0.1:8080", "::1": "[::1]:81"}[place.host]
    assert made.place == place
    assert made.line == f"POST {line} HTTP/1.1\r\nHost: {host}\r\n".encode()
    assert made.head == made.line + "Authorization: Bearer k\r\nX-U: ü\r\n".encode()


@pytest.mark.parametrize("value", ["k\r\nX: y", "k\nX: y", "k\0", "k\x7f"])
def test_a_header_that_would_be_something_else(value: str) -> None:
    with pytest.raises(ValueError, match="can't be sent"):
        prepare(check_url("https://api.x.example/v1", False), [("Authorization", value)])
