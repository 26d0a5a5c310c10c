"""What vendors see whose credentials, places and refusals differ: one of each kind."""

from typing import Any

import pytest

from tests.integration.edge.stage import Stage

MESSAGES = [{"role": "user", "content": "hi"}]


async def seen(stage: Stage, key: str, path: str, model: str, **fields: Any) -> dict[str, Any]:
    """The last request that the upstream got for this model."""
    body = {"model": model, "messages": MESSAGES, **fields}
    if path == "/v1/embeddings":
        body = {"model": model, "input": "hi"}
    async with stage.http(key) as http:
        answer = await http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    entry: dict[str, Any] = stage.upstream.served(model="play:tokens=2")[-1]
    entry["headers"] = {name.lower(): value for name, value in entry["headers"].items()}
    return entry


@pytest.mark.parametrize("ending", ["", "/openai/v1"])
async def test_azure_has_a_header_of_its_own(stage: Stage, key: str, ending: str) -> None:
    name = f"on-azure{len(ending)}"
    await stage.channel({name: "play:tokens=2"}, provider="azure-openai", base_url=stage.upstream.url + ending)
    entry = await seen(stage, key, "/v1/chat/completions", name)
    assert entry["path"] == "/openai/v1/chat/completions"
    assert entry["headers"]["api-key"] == "upstream-credential"
    assert "authorization" not in entry["headers"]


async def test_one_key_and_one_base_url_for_both_formats(stage: Stage, key: str) -> None:
    await stage.channel({"ds": "play:tokens=2"}, provider="deepseek", base_url=f"{stage.upstream.url}/v1")
    chat = await seen(stage, key, "/v1/chat/completions", "ds")
    assert (chat["path"], chat["headers"]["authorization"]) == ("/v1/chat/completions", "Bearer upstream-credential")
    assert not {"x-api-key", "anthropic-version"} & set(chat["headers"])
    messages = await seen(stage, key, "/v1/messages", "ds", max_tokens=5)
    assert messages["path"] == "/anthropic/v1/messages"
    assert messages["headers"]["x-api-key"] == "upstream-credential"
    assert messages["headers"]["authorization"] == "Bearer upstream-credential"
    assert messages["headers"]["anthropic-version"] == "2023-06-01"


async def test_what_an_upstream_refuses_is_not_sent(stage: Stage, key: str) -> None:
    await stage.channel({"mi": "play:tokens=2"}, provider="mistral")
    options = {"include_usage": True}
    entry = await seen(
        stage, key, "/v1/chat/completions", "mi", stream=True, stream_options=options, max_completion_tokens=7
    )
    assert entry["headers"]["authorization"] == "Bearer upstream-credential"
    assert entry["body"] == {"model": "play:tokens=2", "messages": MESSAGES, "stream": True, "max_tokens": 7}


async def test_one_that_only_embeds(stage: Stage, key: str) -> None:
    await stage.channel({"vo": "play:tokens=2"}, provider="voyage")
    entry = await seen(stage, key, "/v1/embeddings", "vo")
    assert entry["path"] == "/v1/embeddings"
