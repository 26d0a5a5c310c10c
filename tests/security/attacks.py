"""Attacks as bytes on a socket, each with the statuses that are right and the shape that its error must have.

`%KEY%` stands for a good relay key, `%ADMIN%` for a management token. A status of 0 is a connection that was closed
without an answer.
"""

import dataclasses
import json

CHAT = "/v1/chat/completions"
BODY = b'{"model":"sandbox","messages":[{"role":"user","content":"hi"}]}'
OPENAI, ANTHROPIC, PROBLEM, JSON_RPC, NONE = "openai", "anthropic", "problem", "json_rpc", "none"
AUTHORIZED = "authorization: Bearer %KEY%"
MANAGER = "authorization: Bearer %ADMIN%"
TYPED = "content-type: application/json"


@dataclasses.dataclass(frozen=True)
class Attack:
    """`answers` is how many answers there may be."""

    name: str
    sent: bytes
    statuses: frozenset[int]
    shape: str = OPENAI
    answers: int = 1


def request(line: str, *headers: str | bytes, body: bytes = b"", host: str | None = "host: gw") -> bytes:
    lines = [line, *([host] if host is not None else []), *headers, "connection: close"]
    head = b"\r\n".join(part if isinstance(part, bytes) else part.encode("latin-1") for part in lines)
    return head + b"\r\n\r\n" + body


def get(target: str, *headers: str | bytes, host: str | None = "host: gw") -> bytes:
    return request(f"GET {target} HTTP/1.1", *(headers or (AUTHORIZED,)), host=host)


def post(*headers: str | bytes, body: bytes = BODY, target: str = CHAT, version: str = "1.1") -> bytes:
    return request(f"POST {target} HTTP/{version}", AUTHORIZED, TYPED, *headers, body=body)


def sized(*headers: str | bytes, body: bytes = BODY, **asked: str) -> bytes:
    return post(f"content-length: {len(body)}", *headers, body=body, **asked)


def chunked(body: bytes, *headers: str | bytes) -> bytes:
    return post("transfer-encoding: chunked", *headers, body=body)


def attack(name: str, sent: bytes, *statuses: int, shape: str = OPENAI, answers: int = 1) -> Attack:
    return Attack(name, sent, frozenset(statuses), shape, answers)


CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
LENGTH = len(BODY)

FRAMING = [
    attack("length and encoding", chunked(CHUNKS, "content-length: 3"), 400),
    attack("encoding and length", post("content-length: 3", "transfer-encoding: chunked", body=CHUNKS), 400),
    attack("two lengths", post("content-length: 3", f"content-length: {LENGTH}"), 400),
    attack("two equal lengths", post(f"content-length: {LENGTH}", f"content-length: {LENGTH}"), 400),
    attack("list of lengths", post(f"content-length: {LENGTH}, {LENGTH}"), 400),
    attack("signed length", post(f"content-length: +{LENGTH}"), 400),
    attack("negative length", post("content-length: -1"), 400),
    attack("hexadecimal length", post("content-length: 0x3f"), 400),
    attack("length with underscore", post("content-length: 6_3"), 400),
    attack("huge length", post("content-length: 99999999999999999999999"), 400),
    attack("length of 5,000 digits", post("content-length: " + "0" * 5_000 + "63"), 400),
    attack("length over the limit", post(f"content-length: {20 * 2**20 + 1}", body=b"{"), 413),
    attack("unknown encoding", post("transfer-encoding: xchunked", body=CHUNKS), 400),
    attack("identity", sized("transfer-encoding: identity"), 400),
    attack("chunked is not the last", post("transfer-encoding: chunked, identity", body=CHUNKS), 400),
    attack("gzip and chunked", post("transfer-encoding: gzip, chunked", body=CHUNKS), 400),
    attack("two encodings", chunked(CHUNKS, "transfer-encoding: chunked"), 400),
    attack("space before the colon", post("transfer-encoding : chunked", body=CHUNKS), 400),
    attack("chunks in HTTP/1.0", post("transfer-encoding: chunked", body=CHUNKS, version="1.0"), 400),
    attack("hexadecimal chunk", chunked(b"0x" + CHUNKS), 400),
    attack("negative chunk", chunked(b"-1\r\n" + CHUNKS), 400),
    attack("endless chunk size", chunked(b"f" * 1_000 + b"\r\n"), 400),
    attack("chunks with bare LF", chunked(CHUNKS.replace(b"\r\n", b"\n")), 400),
    attack("extension with bare LF", chunked(CHUNKS.replace(b"\r\n", b";a=\n", 1)), 400),
    attack("bad end of a chunk", chunked(CHUNKS.replace(BODY + b"\r\n", BODY + b"XX")), 400),
    attack("trailer of length", chunked(CHUNKS[:-2] + b"content-length: 4\r\n\r\n"), 400),
    attack("bare LF", sized().replace(b"\r\n", b"\n"), 400),
    attack("bare CR", sized("x: a\rb"), 400),
    attack("folded header", sized("x: a\r\n b"), 400),
    attack("folded credential", get("/v1/models", "authorization: Bearer\r\n\t%KEY%"), 400),
    attack("NUL in a value", sized(b"x: a\0b"), 400),
    attack("NUL in a name", sized(b"x\0y: a"), 400),
    attack("HTTP/0.9", b"GET /v1/models\r\n\r\n", 400),
    attack("HTTP/2 in clear", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 400),
    attack("HTTP/9.9", get("/v1/models").replace(b"HTTP/1.1", b"HTTP/9.9"), 400),
    attack("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), 400),
    attack("CONNECT", b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: gw\r\n\r\n", 400),
    attack("70 KB header", sized("x: " + "a" * 70_000), 431),
    attack("5,000 headers", sized(*["x: y"] * 5_000), 431),
    attack("9 KB address", get("/v1/models?" + "a" * 9_000), 414),
    attack("compressed body", sized("content-encoding: gzip"), 415),
    attack("body cut short", sized()[:-5], 0, 408),
    attack(
        "a request in an upgrade's body",
        sized("upgrade: h2c", "connection: upgrade", body=get("/v1/models")),
        400,
    ),
]

HOSTS = [
    attack("no host", get("/v1/models", host=None), 400),
    attack("two hosts", get("/v1/models", AUTHORIZED, "host: other"), 400),
    attack("empty host", get("/v1/models", host="host: "), 400),
    attack("host with a user", get("/v1/models", host="host: a@b"), 400),
    attack("host with a path", get("/api/keys", host="host: gw/v1/models?"), 400, shape=PROBLEM),
    attack("host with a space", get("/v1/models", host="host: a b"), 400),
    attack("host that sounds important", get("/api/keys", host="host: admin"), 401, shape=PROBLEM),
    attack("absolute form", get("http://gw/api/keys"), 401, shape=PROBLEM),
    attack("fragment", get("/v1/models#/api/keys"), 400),
]

_NOWHERE = (
    "/v1/../api/keys", "/v1/%2e%2e/api/keys", "/v1/..%2fapi/keys", "/v1/%252e%252e/api/keys", "/v1/./models",
    "//api/keys", "/v1//models", "/v1/models%00", "/v1/models;x=1", "/v1\\..\\api", "/v1/%c0%ae%c0%ae/api/keys",
    "/%76%31/models", "/v1/receipts/..", "/v1/receipts/%00", "/v1/chat/completions/", "/v1/nothing", "/metrics",
    "/V1/..", "*", "/sandbox/v1/..",
)  # fmt: skip
_NOWHERE_IN_API = (
    "/api/../v1/models", "/api/./keys", "/api//keys", "/api/keys%00", "/api/keys;x", "/api/%6beys", "/api/keys/",
    "/API/keys", "/V1/models", "/api/keys/..", "/api/prices/..%2Fx", "/mcp/", "/.env", "/docs", "/config_dump",
    "/api/channels/'OR'1", "/api/receipts/%ff",
)  # fmt: skip
PATHS = [attack(f"path {path}", get(path), 404) for path in _NOWHERE]
PATHS += [
    attack(f"path {path}", get(path, MANAGER), 404, shape=PROBLEM if path.startswith("/api/") else NONE)
    for path in _NOWHERE_IN_API
]
PATHS += [
    attack("encoded /api", get("/%61pi/keys", MANAGER), 404),
    attack("model that climbs", get("/v1/models/%2e%2e/%2e%2e/api/keys"), 404),
    attack("model with CRLF", get("/v1/models/a%0d%0ax:y"), 404),
    attack("SQL in a receipt", get("/v1/receipts/'%20OR%201=1--"), 404),
    attack("SQL in a report", get("/api/usage?group_by=model;DROP", MANAGER), 422, shape=PROBLEM),
    attack("NUL in a report", get("/api/usage?model=%00", MANAGER), 422, shape=PROBLEM),
    attack("unknown parameter", get("/api/keys?x=1", MANAGER), 422, shape=PROBLEM),
    attack("huge limit", get("/api/keys?limit=99999999999999999999", MANAGER), 422, shape=PROBLEM),
]

CREDENTIALS = [
    attack("none", get("/v1/models", "x: y"), 401),
    attack("two keys", get("/v1/models", AUTHORIZED, AUTHORIZED), 401),
    attack("two that differ", get("/v1/models", AUTHORIZED, "x-api-key: sk-other"), 401),
    attack("in the query", get("/v1/models?api_key=%KEY%", "x: y"), 401),
    attack("in a cookie", get("/v1/models", "cookie: oneapi_session=%KEY%"), 401),
    attack("Basic", get("/v1/models", "authorization: Basic %KEY%"), 401),
    attack("no scheme", get("/v1/models", "authorization: %KEY%"), 401),
    attack("with a tab", get("/v1/models", "authorization: Bearer\t%KEY%"), 401),
    attack("with a percent sign", get("/v1/models", AUTHORIZED + "%20"), 401),
    attack("very long", get("/v1/models", AUTHORIZED * 200), 401),
    attack("SQL", get("/v1/models", "authorization: Bearer ' OR (SELECT pg_sleep(8)) IS NOT NULL --"), 401),
    attack("Anthropic's format", sized(target="/v1/messages").replace(b"%KEY%", b"sk-x"), 401, shape=ANTHROPIC),
    attack("management token on /v1", get("/v1/models", MANAGER), 401),
    attack("management token on /mcp", sized(target="/mcp").replace(b"%KEY%", b"%ADMIN%"), 401, shape=JSON_RPC),
    attack("relay key on /api", get("/api/keys"), 401, shape=PROBLEM),
    attack("management token twice", get("/api/keys", MANAGER, MANAGER), 401, shape=PROBLEM),
    attack("management token as x-api-key", get("/api/keys", "x-api-key: %ADMIN%"), 401, shape=PROBLEM),
    attack("management token in the query", get("/api/keys?token=%ADMIN%", "x: y"), 401, shape=PROBLEM),
    attack(
        "word of another proxy", get("/api/keys", "x-forwarded-user: root", "x-oneapi-internal: 1"), 401, shape=PROBLEM
    ),
]


def chat_body(name: str, body: bytes) -> Attack:
    return attack(f"body: {name}", sized(body=body), 400)


def api_body(name: str, method: str, target: str, body: object, *statuses: int) -> Attack:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = request(f"{method} {target} HTTP/1.1", MANAGER, TYPED, f"content-length: {len(content)}", body=content)
    return attack(name, sent, *(statuses or (422,)), shape=PROBLEM)


def credit(amount: object) -> Attack:
    body = {"amount_usd": amount, "reason": "x"}
    return api_body(f"credit of {amount!r:.20}", "POST", "/api/accounts/acc_operator/credits", body)


def price(**fields: object) -> Attack:
    return api_body(f"price {fields!r:.30}", "PUT", "/api/prices/sandbox", fields)


def key(**fields: object) -> Attack:
    return api_body(f"key with {fields!r:.30}", "POST", "/api/keys", {"name": "x", **fields})


def channel(**fields: object) -> Attack:
    body = {"name": "x", "provider": "openai-compatible", "base_url": "https://example.com/v1", "models": ["x"]}
    return api_body(f"channel with {fields!r:.50}", "POST", "/api/channels", body | fields)


_WINDOW = {"timezone": "../../etc/passwd", "from": "00:00", "to": "01:00", "input": "1"}
# Private addresses are allowed in these tests; the following never are.
_PLACES = (
    "http://169.254.169.254/v1", "http://2130706433/v1", "http://0x7f.1/v1", "http://[::ffff:127.0.0.1]/v1",
    "http://[64:ff9b::7f00:1]/v1", "http://[2002:7f00:1::]/v1", "http://0.0.0.0/v1", "http://224.0.0.1/v1",
    "http://user:pass@127.0.0.1/v1", "http://127.0.0.1#@example.com/v1", "http://127\u30020\u30020\u30021/v1",
    "http://metadata.google.internal/v1", "file:///etc/passwd", "gopher://127.0.0.1/", "http://127.0.0.1./v1",
    "http://127.0.0.1:0/v1", "http://a\r\nb/v1",
)  # fmt: skip

BODIES = [
    chat_body("100,000 levels", b'{"model":"sandbox","messages":' + b"[" * 100_000),
    chat_body("65 levels", b'{"model":"sandbox","messages":' + b"[" * 65 + b"]" * 65 + b"}"),
    chat_body("200,001 values", b'{"model":"sandbox","messages":[' + b"0," * 200_001 + b"0]}"),
    chat_body("NaN", BODY[:-1] + b',"temperature":NaN}'),
    chat_body("lone surrogate", BODY.replace(b"hi", b"\\ud800")),
    chat_body("UTF-16", BODY.decode().encode("utf-16")),
    chat_body("BOM", b"\xef\xbb\xbf" + BODY),
    chat_body("what follows it", BODY + b" x"),
    chat_body("list", b"[" + BODY + b"]"),
    chat_body("model of another type", BODY.replace(b'"sandbox"', b"7")),
    api_body("own id", "POST", "/api/accounts", {"name": "x", "id": "acc_1"}),
    api_body("same name twice", "POST", "/api/accounts", b'{"name":"x","name":"y"}', 400),
    api_body("surrogate in a name", "POST", "/api/accounts", b'{"name":"\\ud800"}', 400),
    api_body("deep", "POST", "/api/accounts", b"[" * 100_000, 400),
    api_body("large", "POST", "/api/accounts", b'"' + b"x" * 2**20 + b'"', 413),
    api_body("CRLF in a name", "POST", "/api/accounts", {"name": "a\r\nx: y"}),
    api_body("override in a name", "POST", "/api/accounts", {"name": "a\u202eb"}),
    api_body("number as flag", "POST", "/api/accounts", {"name": "x", "unlimited": 1}),
    *map(credit, ("1e5", "Infinity", "NaN", "0", "0.0000000001", "9" * 5_000, "0." + "0" * 100 + "1")),
    *map(credit, ("1_0", "\u0661", " 1", 1, 1.5, None)),
    *(price(input=text) for text in ("-1", "1e3", "0." + "1" * 100, "99999999999999999999", 1, 0.5)),
    price(input="1", time_windows=[_WINDOW]),
    price(input="1", tiers=[{"above_input_tokens": 10**30, "input": "1"}]),
    api_body("price of a model with a line break", "PUT", "/api/prices/a%0Ab", {"input": "1"}, 404),
    key(budget={"amount_usd": "-5", "window": "day"}),
    key(limits={"rpm": 10**30}),
    key(limits={"rpm": True}),
    key(models=["a\nb"]),
    key(spent="0"),
    channel(headers={"x": "a\r\ny: z"}),
    channel(headers={"x\r\ny": "z"}),
    channel(headers={"host": "other"}),
    channel(headers={"transfer-encoding": "chunked"}),
    channel(models=["a\r\nx: y"]),
    channel(model_mapping={"x": "b\r\nx: y"}),
    channel(api_key="k\r\nx: y"),
    *(channel(base_url=place) for place in _PLACES),
    *(api_body(f"tools at {place}", "POST", "/api/mcp-servers", {"name": "x", "url": place}) for place in _PLACES),
]

ALL = {"framing": FRAMING, "hosts": HOSTS, "paths": PATHS, "credentials": CREDENTIALS, "bodies": BODIES}
