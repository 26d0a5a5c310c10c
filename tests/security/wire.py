"""Attacks as bytes on a socket, each with the statuses that are right and the shape that its error must have.

`%KEY%` stands for a good relay key, `%ADMIN%` for a management token. A status of 0 is a connection that was closed
without an answer.
"""

import dataclasses
import json
import re
import socket

from tests.security.world import CHAT, World

BODY = b'{"model":"sandbox","messages":[{"role":"user","content":"hi"}]}'
LENGTH = len(BODY)
OPENAI, ANTHROPIC, PROBLEM, JSON_RPC, NONE = "openai", "anthropic", "problem", "json_rpc", "none"
AUTHORIZED = "authorization: Bearer %KEY%"
MANAGER = "authorization: Bearer %ADMIN%"
TYPED = "content-type: application/json"
ANSWER_LIMIT_S = 20

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_NEVER_TOLD = (b"Traceback", b"/services/", b"site-packages", b"sqlalchemy", b"127.0.0.1:", b"nats://", b"redis://")


@dataclasses.dataclass(frozen=True)
class Attack:
    """`answers` is how many answers there may be; `code` is the error's, empty where any will do."""

    name: str
    sent: bytes
    statuses: frozenset[int]
    shape: str = OPENAI
    answers: int = 1
    code: str = ""


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


def api(method: str, target: str, body: object) -> bytes:
    """A call of the management API by the first administrator; `body` is sent as JSON, or as it is."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return request(f"{method} {target} HTTP/1.1", MANAGER, TYPED, f"content-length: {len(content)}", body=content)


def attack(name: str, sent: bytes, *statuses: int, shape: str = OPENAI, answers: int = 1, code: str = "") -> Attack:
    return Attack(name, sent, frozenset(statuses), shape, answers, code)


def send(port: int, sent: bytes, *, ends: bool = False) -> bytes:
    """All that comes back until the gateway closes. `ends`: our side of the connection is closed after sending."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_LIMIT_S) as sock:
        try:
            sock.sendall(sent)
            if ends:
                sock.shutdown(socket.SHUT_WR)
            while data := sock.recv(65_536):
                answer += data
        except ConnectionError:
            pass
    return answer


def check(world: World, attack: Attack) -> None:
    """Sends the attack and looks at what came back."""
    sent = attack.sent.replace(b"%KEY%", world.key.encode()).replace(b"%ADMIN%", world.gateway.admin_token.encode())
    answer = send(world.gateway.port, sent, ends=0 in attack.statuses)
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
    found = json.loads(body)
    if attack.shape == OPENAI:
        assert set(found["error"]) == {"message", "type", "param", "code"}, body
        code = found["error"]["code"]
    elif attack.shape == ANTHROPIC:
        assert found["type"] == "error", body
        code = found["error"]["type"]
    elif attack.shape == PROBLEM:
        assert set(found) >= {"type", "title", "status", "code", "detail", "request_id"}, body
        code = found["code"]
    else:
        assert found["jsonrpc"] == "2.0", body
        code = str(found["error"]["code"])
    assert attack.code in {"", code}, body
    for told in _NEVER_TOLD:
        assert told not in body, body
