import pytest

from oneapi.stack.report import Used, address, table, welcome


def test_columns_line_up() -> None:
    text = table([Used("NATS", "2.15.1", "PATH", "127.0.0.1:4222"), Used("SQL", "SQLite", "data directory", "/d/x")])
    assert text.splitlines() == [
        "PART  VERSION  FROM            ADDRESS",
        "NATS  2.15.1   PATH            127.0.0.1:4222",
        "SQL   SQLite   data directory  /d/x",
    ]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://user:secret@10.0.0.1:4222", "10.0.0.1:4222"),
        ("redis://:secret@[::1]:6379/0", "[::1]:6379"),
        ("https://user:secret@ch.example/db", "ch.example"),
        ("sqlite+aiosqlite:////data/oneapi.sqlite3", "/data/oneapi.sqlite3"),
    ],
)
def test_addresses_are_shown_without_logins(url: str, shown: str) -> None:
    assert address(url) == shown


def test_the_welcome_has_what_a_newcomer_needs() -> None:
    text = welcome("http://h:1", "oat-1", "sk-1", "curl x")
    assert all(part in text for part in ("http://h:1", "oat-1", "sk-1", "curl x"))
