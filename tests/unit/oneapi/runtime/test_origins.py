import pytest

from oneapi.runtime.origins import own_origins


def test_own_origin_is_that_of_the_public_url() -> None:
    assert own_origins("https://Gateway.example/base", ()) == {"https://gateway.example"}
    assert own_origins("https://gateway.example", ("https://app.example/",)) == {
        "https://gateway.example",
        "https://app.example",
    }


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_names_of_the_loopback_are_one(host: str) -> None:
    assert own_origins(f"http://{host}:3000", ()) == {
        "http://127.0.0.1:3000",
        "http://localhost:3000",
        "http://[::1]:3000",
    }
