"""What clients can't say about where a request goes, and what they are told when a provider's place is no good."""

import ssl
from pathlib import Path

import httpx2
import pytest

from tests.integration.edge.stage import Stage
from tests.upstream.certificates import Authority
from tests.upstream.raw import Asked, RawServer

CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "hi"}]
FINE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


async def fine(asked: Asked) -> None:
    await asked.say(FINE)


async def ask(stage: Stage, key: str, model: str, path: str = CHAT, **more: object) -> httpx2.Response:
    body = {"model": model, "messages": MESSAGES, "input": "hi", "max_tokens": 5, **more}
    async with stage.http(key) as http:
        return await http.post(path, json=body)


@pytest.mark.parametrize("path", [CHAT, "/v1/responses", "/v1/messages", "/v1/embeddings"])
@pytest.mark.parametrize("field", ["api_base", "base_url", "api_key", "custom_llm_provider", "extra_headers"])
async def test_where_a_request_goes_is_not_the_clients_to_say(stage: Stage, key: str, path: str, field: str) -> None:
    async with RawServer(fine) as elsewhere:
        answer = await ask(stage, key, "sandbox", path, **{field: elsewhere.url()})
        assert answer.status_code == 400
        error = answer.json()["error"]
        if path != "/v1/messages":
            assert (error["type"], error["code"], error["param"]) == (
                "invalid_request_error",
                "unsupported_parameter",
                field,
            )
        assert elsewhere.url() not in answer.text
        assert not elsewhere.connections


async def test_headers_that_name_another_place_stay_here(stage: Stage, key: str) -> None:
    await stage.channel({"own-headers": "play:tokens=3"})
    async with RawServer(fine) as elsewhere, stage.http(key) as http:
        headers = {
            "x-portkey-custom-host": elsewhere.url(),
            "x-upstream-url": elsewhere.url(),
            "x-upstream-host": "evil.example",
            "x-oneapi-base-url": elsewhere.url(),
            "openai-organization": "org-evil",
            "x-forwarded-host": "evil.example",
        }
        answer = await http.post(CHAT, json={"model": "own-headers", "messages": MESSAGES}, headers=headers)
        assert answer.status_code == 200
        assert not elsewhere.connections
    sent = {name.lower() for name in stage.upstream.served(model="play:tokens=3")[-1]["headers"]}
    assert not sent & set(headers)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://169.254.169.254/latest", "x"])
async def test_links_that_nobody_should_open(stage: Stage, key: str, url: str) -> None:
    script = "play:tokens=2,input=13"  # nobody else's
    await stage.channel({"looks": script})
    for path, message in (
        (CHAT, {"type": "image_url", "image_url": {"url": url}}),
        ("/v1/messages", {"type": "image", "source": {"type": "url", "url": url}}),
    ):
        answer = await ask(stage, key, "looks", path, messages=[{"role": "user", "content": [message]}])
        assert answer.status_code == 400
        assert "image_url" in answer.json()["error"]["message"]
        assert url not in answer.text or url == "x"
    answer = await ask(stage, key, "looks", input=[{"role": "user", "content": [{"image_url": url}]}])
    assert answer.json()["error"]["code"] == "invalid_image_url"
    assert not stage.upstream.served(model=script)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_nobody_vouches_for(stage: Stage, key: str, tmp_path: Path, stream: bool) -> None:
    context: ssl.SSLContext = Authority(tmp_path).server("localhost")
    async with RawServer(fine, tls=context) as server:
        model = f"untrusted-{stream}".lower()
        await stage.channel({model: ""}, base_url=server.url("localhost"))
        answer = await ask(stage, key, model, stream=stream)
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_tls")
        assert "localhost" not in answer.text
        assert not server.asked
        event = await stage.event(answer.headers["x-request-id"])
        assert (event.outcome, event.amount_nano) == ("upstream_error", 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_refused(stage: Stage, key: str, status: int) -> None:
    async with RawServer(fine) as other:
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {other.url()}/secret\r\nContent-Length: 0\r\n\r\n".encode()
        async with RawServer(lambda asked: asked.say(moved)) as server:
            model = f"moved-{status}"
            await stage.channel({model: ""}, base_url=server.url())
            for stream in (False, True):
                answer = await ask(stage, key, model, stream=stream)
                assert (answer.status_code, answer.json()["error"]["code"]) == (502, "redirect_refused")
                assert other.url() not in answer.text
            assert len(server.asked) == 2
            assert not other.connections


async def test_a_providers_words_are_cleaned_and_logged_nowhere(stage: Stage, key: str) -> None:
    said = (
        b'{"error":{"message":"Bad value at https://user:pw@vllm-7.prod.internal:8000/v1 by org-AbCdEfGhIjKlMn12 '
        b'in /srv/app/secret.py","type":"sk-abcdefghijklmnop","code":"10.9.8.7","param":"vllm-7.internal"}}'
    )
    head = b"HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: %d\r\nX-Secret: s\r\n\r\n" % len(
        said
    )
    async with RawServer(lambda asked: asked.say(head + said)) as server:
        await stage.channel({"says-much": ""}, base_url=server.url())
        answer = await ask(stage, key, "says-much")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Bad value at [address] by [account] in [path]"
    log = stage.log.read_text()
    for secret in ("vllm-7", "org-AbCd", "secret.py", "abcdefghijklmnop", "10.9.8.7"):
        assert secret not in answer.text
        assert secret not in log
    assert "x-secret" not in answer.headers
