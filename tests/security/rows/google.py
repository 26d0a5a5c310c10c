"""What Google's paths have that others don't: the model, and perhaps the key, in the address."""

import json
from typing import Any

import httpx2

from tests.security.table import Absent, Row
from tests.security.wire import (
    AUTHORIZED,
    GOOGLE,
    GOOGLE_PLACE,
    MANAGER,
    NONE,
    OPENAI,
    TYPED,
    Attack,
    aimed,
    attack,
    check,
    get,
    request,
    whole,
)
from tests.security.world import World

LIST = "/v1beta/models"
CALL = f"{LIST}/sandbox:generateContent"
STREAM = f"{LIST}/sandbox:streamGenerateContent"
NOBODY = "x: y"


def _asked(target: str, *headers: str) -> bytes:
    """A whole request for content, with these headers instead of the good key."""
    body = GOOGLE_PLACE.body
    length = f"content-length: {len(body)}"
    return request(f"POST {target} HTTP/1.1", TYPED, length, *(headers or (NOBODY,)), body=body)


# Keys in the query --------------------------------------------------------------------------------------------------

REFUSED_QUERIES = (
    "key=", "key", "key=sk-other", "key=%KEY%&key=%KEY%", "key=%KEY%&key=sk-other", "key=sk-other&key=%KEY%",
    "Key=%KEY%", "KEY=%KEY%", "%6bey=%KEY%", "key%3D%KEY%", "key[]=%KEY%", "keys=%KEY%", "api_key=%KEY%",
    "x-goog-api-key=%KEY%", "access_token=%KEY%", "$key=%KEY%", "key=Bearer%20%KEY%", "key=%KEY%%20", "key=%KEY%%00",
    "key=+%KEY%", "key=%KEY%;alt=sse", "key=%ADMIN%", "key=%KEY%%0d%0aset-cookie:a=b", "key=" + "a" * 600,
)  # fmt: skip


def _keys() -> list[Attack]:
    found = [attack(f"{query[:30]} on a list", get(f"{LIST}?{query}", NOBODY), 401, shape=GOOGLE)
             for query in REFUSED_QUERIES]  # fmt: skip
    found += [attack(f"{query[:30]} on a call", _asked(f"{CALL}?{query}"), 401, shape=GOOGLE)
              for query in REFUSED_QUERIES]  # fmt: skip
    for name in ("authorization: Bearer", "x-api-key:", "api-key:", "x-goog-api-key:"):
        found += [
            attack(f"{name} differs", get(f"{LIST}?key=%KEY%", f"{name} sk-other"), 401, shape=GOOGLE),
            attack(f"{name} is good, the query is not", get(f"{LIST}?key=sk-other", f"{name} %KEY%"), 401,
                   shape=GOOGLE),
            attack(f"{name} and the query differ on a call", _asked(f"{STREAM}?alt=sse&key=sk-other", f"{name} %KEY%"),
                   401, shape=GOOGLE),
            attack(f"{name} agrees", get(f"{LIST}?key=%KEY%", f"{name} %KEY%"), 200, shape=NONE),
        ]  # fmt: skip
    elsewhere = {"/v1/models": OPENAI, "/v1/models/sandbox": OPENAI, "/v1/receipts/x": OPENAI}
    found += [attack(f"on {path}", get(f"{path}?key=%KEY%", NOBODY), 401, shape=shape)
              for path, shape in elsewhere.items()]  # fmt: skip
    return [
        *found,
        attack("in the query alone", get(f"{LIST}?key=%KEY%", NOBODY), 200, shape=NONE),
        attack("in the path", get(f"{LIST}/%KEY%", NOBODY), 401, shape=GOOGLE),
        attack("on another format's call", _asked("/v1/chat/completions?key=%KEY%"), 401),
        attack("a management token", get(LIST, MANAGER), 401, shape=GOOGLE),
        attack("nothing", _asked(CALL), 401, shape=GOOGLE),
    ]


# Paths --------------------------------------------------------------------------------------------------------------

NO_CALLS = (
    ":countTokens/", ":counttokens", ":batchGenerateContent", ":embedContent", ":predict", ":generatecontent",
    ":GenerateContent",
    ":generateContent/", ":generateContent%20", ":generateContent%00", ":generateContent;x=1", "%3AgenerateContent",
    ":generate%43ontent", ":", ":..", "::", ":streamGenerateContent:", "/../x:generateContent", "//x:generateContent",
    "/..%2Fx:generateContent", "/%2e%2e/x:generateContent", "%252F:generateContent", "%252e%252e:generateContent",
    "%ff:generateContent", "%c0%ae:generateContent", "%0a:generateContent", "\\:generateContent",
)  # fmt: skip
NO_PATHS = (
    "/v1beta", "/v1beta/", "/v1beta/nothing", "/v1beta/models/", "/v1beta/tunedModels/x:generateContent",
    "/v1beta//models", "/v1beta/../api/keys", "/v1beta/%2e%2e/api/keys", "/v1beta/files", "/v1beta/cachedContents",
    "/v1beta/./models", "/V1BETA/models/", "/v1beta/openai/chat/completions", "/v1beta/operations/x",
)  # fmt: skip
UNKNOWN_MODELS = (
    "x:embedContent", "..%2f..%2fapi%2fkeys", "%2e%2e%2fadmin", "a%252Fb", "a%2F%2Fb", "sandbox%20", "sandbox/",
    "SANDBOX",
    "models%2Fsandbox", "sandbox%2F", "%73andbox%00", "'%20OR%201=1--", "*", ">", "a" * 300,
)  # fmt: skip


def _with_key(method: str, target: str) -> bytes:
    body = GOOGLE_PLACE.body
    return request(f"{method} {target} HTTP/1.1", AUTHORIZED, TYPED, f"content-length: {len(body)}", body=body)


def _paths() -> list[Attack]:
    found = [attack(f"call {ending}", _with_key("POST", f"{LIST}/sandbox{ending}"), 404, shape=GOOGLE)
             for ending in NO_CALLS]  # fmt: skip
    found += [
        attack(f"path {path}", get(path), 404, shape=GOOGLE if path.startswith("/v1beta") else NONE)
        for path in NO_PATHS
    ]
    found += [attack(f"model {model[:30]}", get(f"{LIST}/{model}"), 404, shape=GOOGLE) for model in UNKNOWN_MODELS]
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        found += [
            attack(f"{method} of a call", _with_key(method, CALL), 405, shape=GOOGLE),
            attack(f"{method} of a stream", _with_key(method, f"{STREAM}?alt=sse"), 405, shape=GOOGLE),
            attack(f"{method} of a call below /v1", _with_key(method, "/v1/models/sandbox:generateContent"), 405,
                   shape=GOOGLE),
        ]  # fmt: skip
    return [
        *found,
        attack("POST of a list", _with_key("POST", LIST), 405, shape=GOOGLE),
        attack("POST of a model", _with_key("POST", f"{LIST}/sandbox"), 405, shape=GOOGLE),
        attack("model that there is not", _with_key("POST", f"{LIST}/no-such:generateContent"), 404, shape=GOOGLE),
        attack("model of 300 bytes", _with_key("POST", f"{LIST}/{'a' * 300}:generateContent"), 400, shape=GOOGLE),
        attack("model of spaces", _with_key("POST", f"{LIST}/%C2%85:generateContent"), 400, shape=GOOGLE),
        attack("framing that there is not", _with_key("POST", f"{STREAM}?alt=proto"), 400, shape=GOOGLE),
        attack("two framings", _with_key("POST", f"{STREAM}?alt=sse&alt=json"), 400, shape=GOOGLE),
        attack("count of nothing", _with_key("GET", f"{LIST}/sandbox:countTokens"), 405, shape=GOOGLE),
        attack("count of no such model", _with_key("POST", f"{LIST}/no-such:countTokens"), 404, shape=GOOGLE),
        attack("page of nothing", get(f"{LIST}?pageSize=0"), 400, shape=GOOGLE),
        attack("page that nobody told", get(f"{LIST}?pageToken=!"), 400, shape=GOOGLE),
    ]


# Bodies -------------------------------------------------------------------------------------------------------------


def _bodies() -> list[Attack]:
    """Values of another type where a bound is read, in both spellings."""
    found = []
    for value in ("true", "1.5", '"5"', "-1", "0", "9223372036854775808", "[]", "{}"):
        for config in (f'"generationConfig":{{"maxOutputTokens":{value}}}',
                       f'"generation_config":{{"max_output_tokens":{value}}}',
                       f'"generationConfig":{{"candidateCount":{value}}}'):  # fmt: skip
            body = GOOGLE_PLACE.body[:-1] + b"," + config.encode() + b"}"
            found.append(aimed(GOOGLE_PLACE, config, whole(GOOGLE_PLACE, body=body), 400))
    broken = (b"{}", b'{"contents":[]}', b'{"contents":"hi"}', b'{"contents":[7]}', b'{"contents":[{"role":"x"}]}',
              GOOGLE_PLACE.body[:-1] + b',"generationConfig":[]}')  # fmt: skip
    return found + [aimed(GOOGLE_PLACE, body.decode(), whole(GOOGLE_PLACE, body=body), 400) for body in broken]


def the_address_counts(world: World, field: tuple[str, Any]) -> None:
    """A body can't name another model, or another way to answer, than its address does."""
    contents = [{"role": "user", "parts": [{"text": "hi"}]}]
    answer = world.client(world.key).post(CALL, json={"contents": contents, field[0]: field[1]})
    world.bills(world.key, answer.is_success)
    assert answer.status_code == 200, answer.text
    assert answer.json()["modelVersion"] == "sandbox"


# Links --------------------------------------------------------------------------------------------------------------

INSIDE = ("http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "file:///etc/passwd",
          "https://metadata.google.internal/", "http://100.100.100.200/", "gopher://127.0.0.1/x",
          "http://169.254.169.254\\@generativelanguage.googleapis.com/v1beta/files/x",
          "http://generativelanguage.googleapis.com@169.254.169.254/", "gs:/169.254.169.254/")  # fmt: skip


def _places(url: str) -> dict[str, tuple[str, dict[str, Any]]]:
    hi = {"role": "user", "parts": [{"text": "hi"}]}
    part = {"fileData": {"fileUri": url, "mimeType": "image/png"}}
    messages = {"model": "sandbox", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    server = {"type": "url", "name": "x", "url": url}
    transport = {"streamableHttpTransport": {"url": url}}
    return {
        "file": (CALL, {"contents": [{"role": "user", "parts": [part]}]}),
        "file in an instruction": (CALL, {"contents": [hi], "system_instruction": {"parts": [part]}}),
        "tool server": (CALL, {"contents": [hi], "tools": [{"mcpServers": [{"name": "x", **transport}]}]}),
        "Anthropic's tool server": ("/v1/messages", {**messages, "mcp_servers": [server]}),
    }


def linked(world: World, given: tuple[str, str]) -> None:
    """A provider is not asked to open something inside."""
    url, place = given
    path, body = _places(url)[place]
    answer: httpx2.Response = world.client(world.key).post(path, json=body)
    assert answer.status_code == 400, f"{answer.status_code} {answer.text[:200]}"
    assert "must be a public http or https URL" in answer.text, answer.text
    assert json.dumps(url)[1:-1] not in answer.text


ROWS: list[Row | Absent] = [
    Row("A-28", "keys in the query, where they may be and where not", check, _keys()),
    Row("P-23", "Google's paths, and what only looks like them", check, _paths()),
    Row("P-24", "Google's bodies", check, _bodies()),
    Row("P-25", "bodies that contradict their address", the_address_counts,
        [("model", "other"), ("model", "models/other"), ("stream", True), ("model", 7), ("stream", "x")]),
    Row("R-19", "files and tool servers at internal places", linked,
        [(url, place) for url in INSIDE for place in _places("")]),
]  # fmt: skip
