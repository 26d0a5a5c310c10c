import pytest

from services.mcp.credentials import presented_key


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ([], ""),
        ([(b"authorization", b"Bearer sk-1")], "sk-1"),
        ([(b"authorization", b"bearer   sk-1 ")], "sk-1"),
        ([(b"authorization", b"Basic sk-1")], ""),
        ([(b"authorization", b"sk-1")], ""),
        ([(b"x-api-key", b"sk-1")], "sk-1"),
        ([(b"api-key", b"sk-1")], "sk-1"),
        ([(b"x-goog-api-key", b" sk-1 ")], "sk-1"),
        ([(b"authorization", b"Bearer sk-1"), (b"x-api-key", b"sk-1")], "sk-1"),
        ([(b"authorization", b"Bearer sk-1"), (b"x-api-key", b"sk-2")], ""),
        ([(b"authorization", b"Bearer sk-1"), (b"authorization", b"Bearer sk-1")], ""),
        ([(b"x-api-key", b"sk-1"), (b"x-api-key", b"sk-2")], ""),
        ([(b"cookie", b"sk-1"), (b"x_api_key", b"sk-1")], ""),
        ([(b"x-api-key", b"\xff\xfe")], "\xff\xfe"),
    ],
)
def test_one_key_is_found_and_two_are_none(headers: list[tuple[bytes, bytes]], key: str) -> None:
    assert presented_key(headers) == key
