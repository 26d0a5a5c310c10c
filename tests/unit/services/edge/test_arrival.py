import pytest

from services.edge.arrival import Arrival, read_head

HOST = (b"host", b"gw.example:3000")


@pytest.mark.parametrize(
    ("headers", "strict", "anthropic", "google"),
    [
        ([], "", False, False),
        ([(b"x-oneapi-strict", b"1")], "1", False, False),
        ([(b"x-oneapi-strict", b"yes"), (b"anthropic-version", b"2023-06-01")], "yes", True, False),
        ([(b"x-goog-api-client", b"google-genai-sdk/3.6.1")], "", False, True),
    ],
)
def test_what_a_client_says_of_itself(
    headers: list[tuple[bytes, bytes]], strict: str, anthropic: bool, google: bool
) -> None:
    arrival = Arrival("r", b"/v1/messages", read_head([HOST, *headers]), "203.0.113.1", "http", 0.0)
    assert (arrival.strict, arrival.anthropic, arrival.google) == (strict, anthropic, google)
