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
    made = prepare(check_url(url, True), url, [("Authorization", "Bearer k"), ("X-U", "ü")])
    host = {"api.x.example": "api.x.example", "127.0.0.1": "127.0.0.1:8080", "::1": "[::1]:81"}[place.host]
    assert made.place == place
    assert made.line == f"POST {line} HTTP/1.1\r\nHost: {host}\r\n".encode()
    assert made.head == made.line + "Authorization: Bearer k\r\nX-U: ü\r\n".encode()


@pytest.mark.parametrize("value", ["k\r\nX: y", "k\nX: y", "k\0", "k\x7f"])
def test_a_header_that_would_be_something_else(value: str) -> None:
    url = "https://api.x.example/v1"
    with pytest.raises(ValueError, match="can't be sent"):
        prepare(check_url(url, False), url, [("Authorization", value)])


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://x.example/model/a.b-v1%3A0/converse?q=%3A", "/model/a.b-v1%3A0/converse?q=%3A"),
        ("https://x.example/model/arn%3Aaws%3A1%2Fp/converse", "/model/arn%3Aaws%3A1%2Fp/converse"),
        ("https://x.example/a/../b%3A", "/b:"),
        ("https://x.example/\u212a%3A", "/%E2%84%AA:"),
        ("https://x.example?x=1", "/?x=1"),
        ("https://x.example", "/"),
    ],
)
def test_percent_signs_go_out_as_they_were_spelled(url: str, target: str) -> None:
    made = prepare(check_url(url, False), url, [])
    assert made.target == target
    assert made.line.startswith(f"POST {target} HTTP/1.1\r\n".encode())
    assert made.host == "x.example"
