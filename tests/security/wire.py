"""Attacks as bytes on a socket, each with the statuses that are right and the shape that its error must have.

`%KEY%` stands for a good relay key, `%ADMIN%` for a management token. A status of 0 is a connection that was closed
without an answer.
"""

import contextlib
import dataclasses
import itertools
import json
import re
import socket

from tests.security.world import CHAT, World

BODY = b'{"model":"sandbox","messages":[{"role":"user","content":"hi"}]}'
LENGTH = len(BODY)
OPENAI, ANTHROPIC, GOOGLE, PROBLEM, JSON_RPC, NONE = "openai", "anthropic", "google", "problem", "json_rpc", "none"
AUTHORIZED = "authorization: Bearer %KEY%"
MANAGER = "authorization: Bearer %ADMIN%"
TYPED = "content-type: application/json"
SSE = "application/json, text/event-stream"
ANSWER_LIMIT_S = 20

_sources = (f"127.0.{number % 200 + 20}.1" for number in itertools.count())
"""Bad credentials count by network: what one attack spends must not be missing for the next one."""

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_NEVER_TOLD = (b"Traceback", b"/services/", b"site-packages", b"sqlalchemy", b"127.0.0.1:", b"nats://", b"redis://")


@dataclasses.dataclass(frozen=True)
class Attack:
    """`answers` is how many answers there may be; `code` is the error's, empty where any will do. `listener` is a name
    in `World.ports`."""

    name: str
    sent: bytes
    statuses: frozenset[int]
    shape: str = OPENAI
    answers: int = 1
    code: str = ""
    listener: str = "edge"


@dataclasses.dataclass(frozen=True)
class Place:
    """Something that takes a POST: where it is, how its errors look, what proves who asks, and a good body."""

    name: str
    target: str
    shape: str
    credential: str
    body: bytes
    listener: str = "edge"


PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
ASK_MESSAGES = b'{"model":"sandbox","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
CHAT_PLACE = Place("chat", CHAT, OPENAI, AUTHORIZED, BODY)
MESSAGES_PLACE = Place("messages", "/v1/messages", ANTHROPIC, AUTHORIZED, ASK_MESSAGES)
RESPONSES_PLACE = Place("responses", "/v1/responses", OPENAI, AUTHORIZED, b'{"model":"sandbox","input":"hi"}')
GOOGLE_PLACE = Place(
    "google",
    "/v1beta/models/sandbox:generateContent",
    GOOGLE,
    AUTHORIZED,
    b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}',
)
MCP_PLACE = Place("mcp", "/mcp", JSON_RPC, AUTHORIZED, PING)
API_PLACE = Place("api", "/api/keys", PROBLEM, MANAGER, b'{"name":"not to be made"}')
MCP_ITSELF = dataclasses.replace(MCP_PLACE, name="mcp's own port", listener="mcp")
ADMIN_ITSELF = dataclasses.replace(API_PLACE, name="admin's own port", listener="admin")
BEHIND_THE_DOOR = (CHAT_PLACE, MESSAGES_PLACE, RESPONSES_PLACE, GOOGLE_PLACE, MCP_PLACE, API_PLACE)
LISTENERS = (CHAT_PLACE, MCP_ITSELF, ADMIN_ITSELF)


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


def at(place: Place, *headers: str | bytes, body: bytes | None = None, host: str | None = "host: gw") -> bytes:
    """A POST to a place as its client would send it, with these headers more; no length is said."""
    content = place.body if body is None else body
    return request(
        f"POST {place.target} HTTP/1.1", place.credential, TYPED, f"accept: {SSE}", *headers, body=content, host=host
    )


def whole(place: Place, *headers: str | bytes, body: bytes | None = None, host: str | None = "host: gw") -> bytes:
    """The same with the body's length."""
    content = place.body if body is None else body
    return at(place, f"content-length: {len(content)}", *headers, body=content, host=host)


def chunks(body: bytes) -> bytes:
    """A body in one chunk."""
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def aimed(place: Place, name: str, sent: bytes, *statuses: int, code: str = "", shape: str = "") -> Attack:
    """An attack whose error must look as the place's do."""
    return Attack(
        f"{place.name}: {name}", sent, frozenset(statuses), shape or place.shape, code=code, listener=place.listener
    )


def api(method: str, target: str, body: object) -> bytes:
    """A call of the management API by the first administrator; `body` is sent as JSON, or as it is."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return request(f"{method} {target} HTTP/1.1", MANAGER, TYPED, f"content-length: {len(content)}", body=content)


def attack(name: str, sent: bytes, *statuses: int, shape: str = OPENAI, answers: int = 1, code: str = "") -> Attack:
    return Attack(name, sent, frozenset(statuses), shape, answers, code)


def send(port: int, sent: bytes, *, ends: bool = False, source: str = "") -> bytes:
    """All that comes back until the gateway closes. `ends`: our side of the connection is closed after sending.

    `source` is the loopback address to come from, another one each time by default.
    """
    answer = b""
    given = (source or next(_sources), 0)
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_LIMIT_S, source_address=given) as sock:
        # Who is cut off while it still sends may have been answered all the same.
        with contextlib.suppress(ConnectionError):
            sock.sendall(sent)
            if ends:
                sock.shutdown(socket.SHUT_WR)
        try:
            while data := sock.recv(65_536):
                answer += data
        except ConnectionError:
            pass
        except TimeoutError:
            raise AssertionError(f"no end of the answer after {ANSWER_LIMIT_S} s: {answer[-200:]!r}") from None
    return answer


def filled(world: World, sent: bytes) -> bytes:
    """The bytes with the world's credentials in them."""
    return sent.replace(b"%KEY%", world.key.encode()).replace(b"%ADMIN%", world.gateway.admin_token.encode())


def check(world: World, attack: Attack) -> None:
    """Sends the attack and looks at what came back."""
    answer = send(world.ports[attack.listener], filled(world, attack.sent), ends=0 in attack.statuses)
    statuses = [int(status) for status in _STATUS.findall(answer)] or [0]
    assert len(statuses) <= attack.answers, answer[-300:]
    assert set(statuses) <= attack.statuses, (statuses, answer[-300:])
    for canary in world.canaries:
        assert canary.encode() not in answer
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head:
        body = body.partition(b"\r\n")[2].rpartition(b"\r\n0\r\n")[0]
    if answer and attack.shape != NONE:
        assert b"x-request-id: " in head.lower(), head
        _check_shape(attack, body)


def _check_shape(attack: Attack, body: bytes) -> None:
    try:
        found = json.loads(body)
    except ValueError:
        raise AssertionError(f"not JSON: {body[:200]!r}") from None
    assert isinstance(found, dict), body
    if attack.shape == OPENAI:
        assert set(found.get("error", ())) == {"message", "type", "param", "code"}, body
        code = found["error"]["code"]
    elif attack.shape == ANTHROPIC:
        assert found.get("type") == "error", body
        code = found["error"]["type"]
    elif attack.shape == GOOGLE:
        assert set(found.get("error", ())) == {"code", "message", "status", "details"}, body
        code = found["error"]["details"][0]["reason"].lower()
    elif attack.shape == PROBLEM:
        assert set(found) >= {"type", "title", "status", "code", "detail", "request_id"}, body
        code = found["code"]
    else:
        assert found.get("jsonrpc") == "2.0", body
        assert set(found.get("error", ())) >= {"code", "message"}, body
        code = str(found["error"]["code"])
    assert attack.code in {"", code}, body
    for told in _NEVER_TOLD:
        assert told not in body, body
