"""What Google's paths have of their own: the model, the framing and the key in the address, its errors, its lists."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import types
from google.genai.errors import APIError, ClientError

from oneapi.catalog.types import Budget, KeyLimits
from oneapi.runtime.ids import uuid7
from oneapi.runtime.relay_keys import mint
from tests.integration.edge.formats import GEMINI, MESSAGES, PATHS, PROVIDERS
from tests.integration.edge.stage import Stage

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
BODY = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
SCRIPT = "play:tokens=5,cached=1"
LIST = "/v1beta/models"
MODELS = {
    "google": SCRIPT,
    "vendor/google": SCRIPT,
    "google:free": SCRIPT,
    "google-cut": "play:tokens=8,cut=6",
    "google-slow": "play:tokens=500,gap_ms=10",
    "google-limited": "play:status=429,tokens=9",
    "google-refused": "play:status=400,bad_key=1",
    "google-down": "play:status=500,tokens=9",
    "google-mute": SCRIPT,
}


@pytest.fixture(scope="module", autouse=True)
async def models(stage: Stage) -> AsyncIterator[None]:
    made = [
        await stage.channel(MODELS, provider="gemini"),
        await stage.channel({"claude-for-google": SCRIPT}, provider=PROVIDERS[MESSAGES], dialects=(MESSAGES,)),
        await stage.channel({"sandbox-for-google": ""}, provider="sandbox", base_url=""),
        await stage.channel({"embeds-only": SCRIPT}, endpoints=("embeddings",)),
    ]
    yield
    for channel in made:
        stage.channels.pop(channel.id)


def client(stage: Stage, key: str, version: str | None = None) -> Any:
    options = types.HttpOptions(base_url=stage.url, api_version=version)
    return genai.Client(api_key=key, http_options=options).aio.models


async def ask(stage: Stage, target: str, headers: dict[str, str] | None = None, **more: Any) -> httpx2.Response:
    async with stage.http() as http:
        return await http.post(target, headers=headers, **({"json": BODY} | more))


def google_error(answer: httpx2.Response) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"code", "message", "status", "details"}
    assert error["code"] == answer.status_code
    told = {detail["@type"].rpartition(".")[2]: detail for detail in error["details"]}
    assert told["RequestInfo"]["requestId"] == answer.headers["x-request-id"]
    return {"reason": told["ErrorInfo"]["reason"], **error}


# The model in the address -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [None, "v1beta", "v1"])
@pytest.mark.parametrize("model", ["google", "vendor/google", "google:free", "models/google"])
async def test_models_as_the_sdk_writes_them(stage: Stage, key: str, version: str | None, model: str) -> None:
    google = client(stage, key, version)
    assert (await google.generate_content(model=model, contents="hi")).text == " tok" * 5
    stream = await google.generate_content_stream(model=model, contents="hi")
    assert "".join([answer.text or "" async for answer in stream]) == " tok" * 5
    entry = stage.upstream.served(path=PATHS[GEMINI], model=SCRIPT)[-1]
    assert entry["target"] == "/v1beta/models/play%3Atokens%3D5%2Ccached%3D1:streamGenerateContent?alt=sse"
    assert entry["credential"] == "upstream-credential"
    assert not {"model", "stream"} & set(entry["body"])


@pytest.mark.parametrize("written", ["vendor/google", "vendor%2Fgoogle", "vendor%2fgoogle"])
async def test_models_with_slashes(stage: Stage, key: str, written: str) -> None:
    answer = await ask(stage, f"{LIST}/{written}:generateContent", {"x-goog-api-key": key})
    assert answer.status_code == 200
    assert (await stage.event(answer.headers["x-request-id"])).model == "vendor/google"
    async with stage.http(key) as http:
        found = await http.get(f"{LIST}/{written}")
    assert found.json()["name"] == "models/vendor/google"


async def test_a_model_that_the_key_may_not_use(stage: Stage) -> None:
    narrow = await stage.key(models=("google",))
    await stage.known()
    for model in ("vendor/google", "no-such"):
        with pytest.raises(ClientError) as refused:
            await client(stage, narrow).generate_content(model=model, contents="hi")
        assert (refused.value.code, refused.value.status) == (404, "NOT_FOUND")
    assert (await client(stage, narrow).generate_content(model="google", contents="hi")).text


# The key in the address ---------------------------------------------------------------------------------------------


async def test_where_a_key_may_be(stage: Stage, key: str) -> None:
    call, bad = f"{LIST}/google:generateContent", mint()
    for target, headers, status in (
        (f"{call}?key={key}", {}, 200),
        (call, {"x-goog-api-key": key}, 200),
        (call, {"authorization": f"Bearer {key}"}, 200),
        (f"{call}?key={key}", {"x-goog-api-key": key}, 200),
        (f"{call}?key={key}", {"x-goog-api-key": bad}, 401),
        (f"{call}?key={bad}", {"x-goog-api-key": key}, 401),
        (f"{call}?key={key}&key={key}", {}, 401),
        (f"{call}?key={bad}", {}, 401),
        (f"/v1/models/google:generateContent?key={key}", {}, 200),
        (f"/v1/models?key={key}", {}, 401),
    ):
        answer = await ask(stage, target, headers) if ":" in target else await get(stage, target)
        assert answer.status_code == status, target
        assert key not in answer.text
    log = stage.log.read_text()
    assert key not in log
    assert bad not in log
    assert all(key not in json.dumps(row) for row in stage.upstream.served(path=PATHS[GEMINI]))


async def get(stage: Stage, target: str, key: str | None = None) -> httpx2.Response:
    async with stage.http(key) as http:
        return await http.get(target)


# The framing in the address -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["google", "claude-for-google"])
@pytest.mark.parametrize("query", ["", "?alt=json"])
async def test_a_stream_as_one_list(stage: Stage, key: str, model: str, query: str) -> None:
    answer = await ask(stage, f"{LIST}/{model}:streamGenerateContent{query}", {"x-goog-api-key": key})
    assert answer.headers["content-type"] == "application/json"
    texts = [part["text"] for one in answer.json() for part in one["candidates"][0]["content"]["parts"]]
    assert "".join(texts) == " tok" * 5
    assert answer.json()[-1]["usageMetadata"]["candidatesTokenCount"] == 5
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.outcome, event.evidence, event.streamed) == ("ok", "provider", True)


async def test_a_list_that_breaks_ends_with_an_error(stage: Stage, key: str) -> None:
    answer = await ask(stage, f"{LIST}/google-cut:streamGenerateContent", {"x-goog-api-key": key})
    assert answer.status_code == 200
    *good, last = answer.json()
    assert len(good) == 6
    assert (last["error"]["code"], last["error"]["status"]) == (502, "UNAVAILABLE")
    assert (await stage.event(answer.headers["x-request-id"])).outcome == "upstream_cut"


async def test_who_leaves_a_list_is_billed_for_what_came(stage: Stage, key: str) -> None:
    mine = uuid7()
    headers = {"x-goog-api-key": key, "x-request-id": mine}
    async with (
        stage.http() as http,
        http.stream("POST", f"{LIST}/google-slow:streamGenerateContent", json=BODY, headers=headers) as answer,
    ):
        async for piece in answer.aiter_text():
            if " tok" in piece:
                break
    event = await stage.event(client_request_id=mine)
    assert (event.outcome, event.evidence) == ("client_gone", "counted")
    assert 1 <= event.usage["output"] < 500


# Errors -------------------------------------------------------------------------------------------------------------


async def test_errors_in_googles_format(stage: Stage, key: str) -> None:
    call = f"{LIST}/google:generateContent"
    good = {"x-goog-api-key": key}
    for target, headers, more, status, word, reason in (
        (call, {}, {}, 401, "UNAUTHENTICATED", "INVALID_API_KEY"),
        (f"{LIST}/none:generateContent", good, {}, 404, "NOT_FOUND", "MODEL_NOT_FOUND"),
        (f"{LIST}/google:batchGenerateContent", good, {}, 404, "NOT_FOUND", "NOT_FOUND"),
        (f"{LIST}/none:countTokens", good, {}, 404, "NOT_FOUND", "MODEL_NOT_FOUND"),
        (f"{LIST}/google:countTokens", good, {"json": {}}, 400, "INVALID_ARGUMENT", "INVALID_REQUEST"),
        (f"{LIST}/google", good, {}, 405, "INVALID_ARGUMENT", "METHOD_NOT_ALLOWED"),
        ("/v1beta/nothing", good, {}, 404, "NOT_FOUND", "NOT_FOUND"),
        (call, good, {"json": {}}, 400, "INVALID_ARGUMENT", "INVALID_REQUEST"),
        (call, good, {"json": {**BODY, "x": "a" * (21 * 2**20)}}, 413, "INVALID_ARGUMENT", "REQUEST_TOO_LARGE"),
        (call, {**good, "content-type": "text/plain"}, {}, 415, "INVALID_ARGUMENT", "UNSUPPORTED_CONTENT_TYPE"),
        (call, {**good, "x-oneapi-strict": "7"}, {}, 400, "INVALID_ARGUMENT", "INVALID_HEADER"),
        (f"{call}?alt=proto", good, {}, 400, "INVALID_ARGUMENT", "INVALID_VALUE"),
        (f"{LIST}/google-limited:generateContent", good, {}, 429, "RESOURCE_EXHAUSTED", "UPSTREAM_RATE_LIMITED"),
        (f"{LIST}/google-refused:generateContent", good, {}, 502, "UNAVAILABLE", "UPSTREAM_ERROR"),
        (f"{LIST}/google-down:streamGenerateContent", good, {}, 502, "UNAVAILABLE", "UPSTREAM_ERROR"),
    ):
        answer = await ask(stage, target, headers, **more)
        assert answer.status_code == status, (target, answer.text)
        error = google_error(answer)
        assert (error["status"], error["reason"]) == (word, reason)
    limited = await ask(stage, f"{LIST}/google-limited:generateContent", good)
    assert limited.headers["retry-after"] == "9", "the provider's body says so"
    assert (await get(stage, call, key)).status_code == 405


async def test_what_the_door_refuses(stage: Stage) -> None:
    torn = b"POST /v1beta/models/m:generateContent?key=sk-x HTTP/1.1\r\nhost: gw\r\nhost: gw\r\n\r\n"
    long = b"GET /v1beta/models/%s HTTP/1.1\r\nhost: gw\r\n\r\n" % (b"a" * 20_000)
    for sent, status in ((torn, b"400"), (long, b"414")):
        answer = await stage.raw(sent)
        assert answer[9:12] == status
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["status"] == "INVALID_ARGUMENT"


async def test_budgets_and_rates(stage: Stage) -> None:
    poor = await stage.key(budgets=(Budget(amount_nano=10),))
    slow = await stage.key(limits=KeyLimits(rpm=1))
    await stage.known()
    with pytest.raises(APIError) as spent:
        await client(stage, poor).generate_content(model="google", contents="hi")
    assert (spent.value.code, spent.value.status) == (402, "RESOURCE_EXHAUSTED")
    answers = [await ask(stage, f"{LIST}/google:generateContent?key={slow}") for _ in range(4)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert google_error(refused[0])["status"] == "RESOURCE_EXHAUSTED"
    assert int(refused[0].headers["retry-after"]) >= 1


# What others get, too -----------------------------------------------------------------------------------------------


async def test_headers_and_losses(stage: Stage, key: str) -> None:
    good = {"x-goog-api-key": key}
    whole = await ask(stage, f"{LIST}/google:generateContent", good)
    assert float(whole.headers["x-oneapi-cost-usd"]) > 0
    assert whole.headers["x-oneapi-channel"] in stage.channels
    lost = {**BODY, "labels": {"a": "b"}, "safetySettings": [{"category": "x", "threshold": "BLOCK_NONE"}]}
    converted = await ask(stage, f"{LIST}/claude-for-google:generateContent", good, json=lost)
    assert converted.status_code == 200
    assert converted.headers["x-oneapi-loss"] == "metadata, moderation"
    assert converted.json()["modelVersion"] == "claude-for-google"
    strict = {**good, "x-oneapi-strict": "1"}
    refused = await ask(stage, f"{LIST}/claude-for-google:generateContent", strict, json=lost)
    assert (refused.status_code, google_error(refused)["reason"]) == (400, "CONVERSION_LOSS")
    assert (await ask(stage, f"{LIST}/google:generateContent", strict, json=lost)).status_code == 200


async def test_the_sandbox(stage: Stage, key: str) -> None:
    google, said = client(stage, key), "This is the sandbox of One API. You said: hi"
    assert (await google.generate_content(model="sandbox-for-google", contents="hi")).text == said
    stream = await google.generate_content_stream(model="sandbox-for-google", contents="hi")
    assert "".join([answer.text or "" async for answer in stream]) == said
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    declared = types.FunctionDeclaration(name="weather", parameters_json_schema=schema)
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declared])])
    for streamed in (False, True):
        contents: list[Any] = [types.Content(role="user", parts=[types.Part(text="call weather")])]
        for turn in range(2):
            asked = {"model": "sandbox-for-google", "contents": contents, "config": config}
            if streamed:
                answers = [answer async for answer in await google.generate_content_stream(**asked)]
            else:
                answers = [await google.generate_content(**asked)]
            parts = [part for answer in answers for part in answer.parts or ()]
            calls = [part.function_call for part in parts if part.function_call is not None]
            assert len(calls) == (1 if turn == 0 else 0)
            if calls:
                result = types.FunctionResponse(id=calls[0].id, name=calls[0].name, response={"output": "rain"})
                contents += [
                    types.Content(role="model", parts=parts),
                    types.Content(role="user", parts=[types.Part(function_response=result)]),
                ]
        assert any(part.text for part in parts)


# Lists --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_the_list(stage: Stage, key: str, version: str) -> None:
    google = client(stage, key, version)
    pager = await google.list(config={"page_size": 2})
    listed = {model.name: model async for model in pager}
    assert {f"models/{name}" for name in MODELS} <= set(listed)
    assert listed["models/google"].supported_actions == ["generateContent", "streamGenerateContent"]
    assert listed["models/embeds-only"].supported_actions == []
    assert (await google.get(model="vendor/google")).display_name == "vendor/google"
    with pytest.raises(ClientError) as missing:
        await google.get(model="no-such")
    assert (missing.value.code, missing.value.status) == (404, "NOT_FOUND")
    for query in ("pageSize=0", "pageSize=x", "pageToken=!"):
        refused = await get(stage, f"{LIST}?{query}", key)
        assert (refused.status_code, google_error(refused)["reason"]) == (400, "INVALID_VALUE")
    assert "nextPageToken" not in (await get(stage, f"{LIST}?pageSize=1000", key)).json()
    narrow = await stage.key(models=("google",))
    await stage.known()
    assert [row["name"] for row in (await get(stage, LIST, narrow)).json()["models"]] == ["models/google"]


async def test_the_schema(stage: Stage) -> None:
    paths = (await get(stage, "/v1/openapi.json")).json()["paths"]
    call = paths["/v1beta/models/{model}:generateContent"]["post"]
    assert [parameter["name"] for parameter in call["parameters"]] == ["model"]
    stream = paths["/v1beta/models/{model}:streamGenerateContent"]["post"]
    assert [parameter["name"] for parameter in stream["parameters"]] == ["model", "alt"]
    assert "get" in paths["/v1beta/models"]
    assert set(paths["/v1beta/models/{model}"]) == {"get"}


async def test_an_outage(stage: Stage, key: str) -> None:
    """While the router is silent nobody can be served that it was never asked for: 503 with a time to wait."""
    stage.router.silent = True
    try:
        answer = await ask(stage, f"{LIST}/google-mute:generateContent?key={key}")
    finally:
        stage.router.silent = False
    assert google_error(answer)["status"] == "UNAVAILABLE"
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
