"""Secrets leave no process."""

import pytest

from oneapi.runtime.redaction import names_a_secret, redact
from oneapi.runtime.relay_keys import mint, mint_management
from oneapi.runtime.sealing import Sealer

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0B\n-----END PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(mint(), id="a relay key"),
        pytest.param(mint_management(), id="a management token"),
        "sk-proj-abcDEF123_456-789xyz",
        "sk-ant-api03-AAAAbbbbCCCC",
        JWT,
        PEM,
        PEM.replace("\n", "\\n"),
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "AKIAIOSFODNN7EXAMPLE",
        Sealer("x").seal("hush", bound_to="a"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "key={}", '{{"k":"{}"}}', "before {} after", "Authorization: {}", "({})"])
def test_a_secret_is_taken_out(secret: str, around: str) -> None:
    cleaned = redact(around.format(secret))
    assert "[redacted]" in cleaned
    body = secret.removeprefix("-----BEGIN PRIVATE KEY-----")
    for start in range(0, max(1, len(body) - 12), 4):
        part = body[start : start + 12]
        assert len(part) < 8 or part not in cleaned


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer [redacted]"),
        ("bearer abcdef.123-456/x+y==", "bearer [redacted]"),
        ("basic dXNlcjpwYXNz", "basic [redacted]"),
        ("nats://user:p@ss@host:4222 is away", "nats://[redacted]@host:4222 is away"),
        ("redis://:hush@host/0", "redis://[redacted]@host/0"),
        ("https://token@host/path?a=b", "https://[redacted]@host/path?a=b"),
        ("https://host/v1?key=hush&alt=sse", "https://host/v1?key=[redacted]&alt=sse"),
        ("api_key=hush", "api_key=[redacted]"),
        ("password: hush", "password: [redacted]"),
    ],
)
def test_the_rest_stays(text: str, kept: str) -> None:
    assert redact(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "mail to someone@example.com",
        "https://example.com/@user?x=1",
        "task-12345678901 done",
        "the bearer of news",
        "trace 0af7651916cd43dd8448eb211c80319c",
        "ch_01k9abcdefghijklmnopqrstuv",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "name", ["authorization", "Authorization", "x-api-key", "api_key", "password", "client_secret", "cookie", "token",
             "access_token", "admin_token", "secret"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert names_a_secret(name)


@pytest.mark.parametrize("name", ["input_tokens", "max_tokens", "key_id", "tokens", "prompt_tokens", "author"])
def test_names_of_what_is_no_secret(name: str) -> None:
    assert not names_a_secret(name)
