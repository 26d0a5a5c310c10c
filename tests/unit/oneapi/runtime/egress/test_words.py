"""What nasty error texts become."""

import pytest

from oneapi.runtime.egress.words import MAX_MESSAGE, clean_message

SECRET = "sk-proj-0123456789abcdefABCDEF"
LONG = "dGhpcyBpcyBhIHZlcnkgbG9uZyBzZWNyZXQgd2l0aCBkaWdpdHMgMTIzNDU2Nzg5MA=="

TAKEN_OUT = [
    (f"Incorrect API key provided: {SECRET}.", SECRET),
    ("Incorrect API key provided: sk-ab***********xyz9.", "xyz9"),
    ("Header Authorization: Bearer abcdefgh12345678 is bad", "abcdefgh12345678"),
    ("sent Basic dXNlcjpwYXNz to it", "dXNlcjpwYXNz"),
    ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln expired", "eyJzdWIi"),
    ("set-cookie: session=abc; HttpOnly", "session=abc"),
    ("AWS_SECRET_ACCESS_KEY=abc/def+ghi is wrong", "abc/def"),
    ("key AKIAIOSFODNN7EXAMPLE is disabled", "AKIAIOSFODNN7EXAMPLE"),
    ("key AIzaSyA1234567890abcdefghijklmnopqrstuv is bad", "AIzaSy"),
    ("password=hunter2 is wrong", "hunter2"),
    ("digest 5f4dcc3b5aa765d61d8327deb882cf99 is unknown", "5f4dcc3b"),
    (f"token {LONG} is unknown", LONG),
    ("-----BEGIN PRIVATE KEY-----\nMIIEvg\n-----END PRIVATE KEY----- is bad", "MIIEvg"),
    ("see https://user:pass@internal.example/v1?key=1 for it", "internal"),
    ("connect to postgres://admin:pw@db-1:5432/keys failed", "db-1"),
    ("open file:/etc/passwd failed", "passwd"),
    ("open file:///etc/shadow failed", "shadow"),
    ("no route to 10.1.2.3:8080", "10.1.2.3"),
    ("no route to 10.1.2.3/v1/secret", "10.1.2.3"),
    ("no route to [fe80::1%eth0]:443", "fe80"),
    ("no route to ::1", "::1"),
    ("no route to 2a00:1450:4001:81b:0:0:0:200a now", "2a00"),
    ("dial tcp: lookup vllm.prod.svc.cluster.local: no such host", "vllm"),
    ("upstream api.eu-west.provider.com said no", "provider"),
    ("redis-master:6379 refused", "redis-master"),
    ("localhost:11434 refused", "localhost"),
    ("write to ops@provider.example please", "ops"),
    ("can't read /srv/app/config/keys.json", "srv"),
    ("can't read ~/.aws/credentials/default", "aws"),
    ("can't read C:\\Users\\svc\\key.txt", "Users"),
    ("can't read \\\\fileserver\\share\\x", "fileserver"),
    ("error in app/models/loader.py:77", "loader"),
    ("organization org-AbCdEfGhIjKlMnOpQrStUvWx has no access", "AbCdEf"),
    ("project proj_AbCdEfGhIjKl123 has no access", "AbCdEf"),
    ("arn:aws:bedrock:us-east-1:123456789012:model/x is denied", "123456789012"),
    ("account 123456789012 is over its quota", "123456789012"),
    ("subscription 8f14e45f-ceea-467f-9d5c-0a1b2c3d4e5f is off", "8f14e45f"),
    ("projects/my-secret-project/locations/us is off", "my-secret-project"),
    ("bad <script>alert(1)</script> thing", "<script"),
    ("bad <img src=x onerror=alert(1)> thing", "onerror"),
    ("bad \x1b[31mred\x1b[0m thing", "\x1b"),
    ("a\r\nx-injected: y", "\n"),
    ("a\u202eb\u2066c\u200bd", "\u202e"),
    ("split sk-\u200bproj-0123456789abcdef", "0123456789"),
    ("a\x00b\x07c", "\x00"),
    ("click javascript:alert(1) now", "alert"),
]

NOT_SHOWN = [
    "<html><body>502 Bad Gateway</body></html>",
    "<!DOCTYPE html><title>x</title>",
    "  < HTML >",
    'Traceback (most recent call last):\n  File "/app/x.py", line 1',
    'File "x.py", line 3, in f',
    "TypeError: x\n    at handler (/srv/app/index.js:10:5)",
    "java.lang.NullPointerException at com.acme.Secret.run(Secret.java:42)",
    "panic: runtime error",
    "goroutine 1 [running]:",
    "Exception in thread main",
    "",
    "\x00\x01",
]

KEPT = [
    "The model `gpt-4.1` does not exist or you do not have access to it.",
    "Invalid value: 'messages[0].content[1].image_url' must be a string.",
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130512 tokens.",
    "max_tokens: 5000 > 4096, which is the maximum allowed number of output tokens for claude-3.5-sonnet-20241022",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "This model is only supported in v1/responses and not in v1/chat/completions.",
    "Use /v1/responses and /v1/files instead",
    "tools.0.function.parameters: Input should be a valid dictionary",
    "Expected 0.5 <= temperature <= 2, and/or top_p",
    "media type image/png and application/json, e.g. at 12:30:45",
    "std::vector is no JSON",
]


@pytest.mark.parametrize(("said", "secret"), TAKEN_OUT, ids=[said[:30] for said, _ in TAKEN_OUT])
def test_what_is_taken_out(said: str, secret: str) -> None:
    shown = clean_message(said)
    assert shown
    assert secret not in shown
    assert shown.isprintable()
    assert len(shown) <= MAX_MESSAGE
    assert clean_message(f"({said})") != f"({said})"


@pytest.mark.parametrize("said", NOT_SHOWN)
def test_what_is_not_shown_at_all(said: str) -> None:
    assert clean_message(said) == ""


@pytest.mark.parametrize("said", KEPT)
def test_what_users_need_is_kept(said: str) -> None:
    assert clean_message(said) == said


def test_messages_are_short() -> None:
    assert len(clean_message("x" * 100_000)) == MAX_MESSAGE
    assert clean_message("word " * 300).endswith("…")
    assert clean_message(" a \n\t b ") == "a b"


@pytest.mark.parametrize(
    "piece", ["a.", "a-", "/a", "<a", "a@", "::", "1.", "a:", "\\\\a", "http", "sk-", "at a(", "= "]
)
def test_nothing_takes_long(piece: str) -> None:
    assert len(clean_message(piece * 100_000)) <= MAX_MESSAGE
