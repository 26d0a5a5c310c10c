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


def attack(name: str, sent: bytes, *statuses: int, shape: str = OPENAI, answers: int = 1) -> Attack:
    return Attack(name, sent, frozenset(statuses), shape, answers)


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

ALL = {"bodies": BODIES}
