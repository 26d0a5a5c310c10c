"""Bad input gets a clear error in the caller's own format, and the next good request is answered."""

import json
import socket
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from tests.e2e.gateway import Gateway, eventually

CHAT = {"model": "sandbox", "messages": [{"role": "user", "content": "hi"}]}
PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"]


def body_for(path: str, model: str = "sandbox") -> dict[str, Any]:
    if path in {"/v1/responses", "/v1/embeddings"}:
        return {"model": model, "input": "hi"}
    return {**CHAT, "model": model, **({"max_tokens": 10} if path == "/v1/messages" else {})}


def shape(path: str, answer: httpx2.Response) -> dict[str, Any]:
    """The error object, after checking that it has the dialect's shape."""
    body = answer.json()
    error: dict[str, Any] = body["error"]
    if path == "/v1/messages":
        assert body["type"] == "error"
        assert set(error) >= {"type", "message"}
    else:
        assert set(error) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"]
    return error


@pytest.fixture(scope="module")
def key(gateway: Gateway) -> str:
    return gateway.key()


@pytest.mark.parametrize("path", PATHS)
def test_every_bad_key_is_one_and_the_same_401(gateway: Gateway, path: str) -> None:
    revoked, expired, elsewhere = (gateway.create("keys", name=f"bad-{n}") for n in range(3))
    assert gateway.admin.delete(f"/api/keys/{revoked['id']}").status_code in {200, 204}
    past = gateway.admin.patch(f"/api/keys/{expired['id']}", json={"expires_at": "2020-01-01T00:00:00Z"})
    assert past.status_code == 200, past.text
    moved = gateway.admin.patch(f"/api/keys/{elsewhere['id']}", json={"allowed_ips": ["203.0.113.7"]})
    assert moved.status_code == 200, moved.text
    good = gateway.key()
    bad = [None, "", "nonsense", good[:-1] + ("a" if good[-1] != "a" else "b"), gateway.admin_token]
    bad += [revoked["key"], expired["key"], elsewhere["key"]]
    seen = set()
    for credential in bad:
        headers = {"authorization": f"Bearer {credential}".strip()} if credential is not None else {}

        def refused(headers: dict[str, str] = headers) -> httpx2.Response | None:
            answer = httpx2.post(gateway.url + path, json=body_for(path), headers=headers)
            return answer if answer.status_code == 401 else None

        answer = eventually(refused, 5)
        assert "www-authenticate" in answer.headers
        text = answer.text.replace(answer.headers["x-request-id"], "<id>")
        seen.add((text, answer.headers["www-authenticate"]))
        shape(path, answer)
    assert len(seen) == 1, seen


@pytest.mark.parametrize("path", PATHS)
def test_unknown_model_is_404(gateway: Gateway, key: str, path: str) -> None:
    answer = gateway.client(key).post(path, json=body_for(path, "no-such-model"))
    assert answer.status_code == 404
    shape(path, answer)


def test_sdks_raise_their_own_errors(gateway: Gateway, key: str) -> None:
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "hi"}])
    assert missing.value.code == "model_not_found"
    claude = anthropic.Anthropic(base_url=gateway.url, api_key=key, max_retries=0)
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.create(model="no-such-model", max_tokens=5, messages=[{"role": "user", "content": "hi"}])
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="sk-wrong", max_retries=0).responses.create(
            model="sandbox", input="hi"
        )
    with pytest.raises(anthropic.AuthenticationError):
        anthropic.Anthropic(base_url=gateway.url, api_key="sk-wrong", max_retries=0).messages.create(
            model="sandbox", max_tokens=5, messages=[{"role": "user", "content": "hi"}]
        )


def test_a_model_that_the_key_may_not_use_is_404(gateway: Gateway) -> None:
    answer = gateway.client(gateway.key(models=["another-model"])).post("/v1/chat/completions", json=CHAT)
    assert answer.status_code == 404


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b'{"model": 7}', "application/json", 400),
        (b'{"model": "sandbox", "messages": NaN, "input": NaN}', "application/json", 400),
        (b'{"model": "sandbox", "input": "\\ud800"', "application/json", 400),
        (b"\xff\xfe{\x00}\x00", "application/json", 400),
        (b'{"x":' * 5000 + b"1" + b"}" * 5000, "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/xml", 415),
    ],
    ids=["cut", "empty", "list", "string", "model", "nan", "surrogate", "utf16", "deep", "bomb", "plain", "xml"],
)
def test_broken_bodies(gateway: Gateway, key: str, path: str, content: bytes, content_type: str, status: int) -> None:
    answer = gateway.client(key).post(path, content=content, headers={"content-type": content_type})
    assert answer.status_code == status, answer.text
    assert shape(path, answer)["message"]


def test_a_body_over_the_limit_is_413(gateway: Gateway, key: str) -> None:
    big = json.dumps({**CHAT, "padding": "x" * (21 * 2**20)}).encode()
    answer = gateway.client(key).post("/v1/chat/completions", content=big, headers={"content-type": "application/json"})
    assert answer.status_code == 413


def raw(gateway: Gateway, request: bytes, limit_s: float = 30) -> bytes:
    """What the gateway answers to bytes on a socket, until it closes."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=limit_s) as sock:
        try:
            sock.sendall(request)
            answer = b""
            while data := sock.recv(65536):
                answer += data
        except ConnectionError:
            pass
        return answer


def test_megabyte_headers_are_refused(gateway: Gateway) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-big: " + b"a" * 2**20 + b"\r\n\r\n"
    answer = raw(gateway, head)
    assert not answer or answer.split(b" ")[1] in {b"400", b"431"}


def test_slow_headers_are_closed(gateway: Gateway) -> None:
    answer = raw(gateway, b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n", 25)
    assert not answer or answer.split(b" ")[1] == b"408"


def test_slow_bodies_are_closed(gateway: Gateway, key: str) -> None:
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
    head += "content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"
    answer = raw(gateway, head.encode(), 90)
    assert not answer or answer.split(b" ")[1] == b"408"


def test_a_good_request_is_still_answered(gateway: Gateway, key: str) -> None:
    assert gateway.client(key).post("/v1/chat/completions", json=CHAT).status_code == 200
