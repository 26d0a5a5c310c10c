"""`/a2a`: the two bindings of the A2A agent, JSON-RPC at the address itself and HTTP+JSON below it.

It decides which address is which operation, and how results, streams and failures look in each binding. It must not
know what operations do.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from oneapi.runtime.ids import new_id
from oneapi.runtime.json_rpc import INTERNAL_ERROR, INVALID_REQUEST, BadMessage, read_message
from services.admin.public import a2a
from services.admin.public.a2a import A2aError, Agent
from services.admin.web.endpoints.layer import STREAM, STREAM_HEADERS, Endpoint, Question, check_media_type, json_body
from services.admin.web.problems import Problem

JSON_TYPES = ("application/json", a2a.MEDIA_TYPE)
_STATUS_NAMES = {403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}

_TASK = r"/tasks/(?P<id>[^/:]+)"
_PUSH = rf"{_TASK}/pushNotificationConfigs"
OPERATIONS = tuple(
    (method, re.compile(pattern), name)
    for method, pattern, name in (
        ("POST", "/message:send", "SendMessage"),
        ("POST", "/message:stream", "SendStreamingMessage"),
        ("GET", "/tasks", "ListTasks"),
        ("GET", _TASK, "GetTask"),
        ("POST", f"{_TASK}:cancel", "CancelTask"),
        ("GET", f"{_TASK}:subscribe", "SubscribeToTask"),
        ("POST", f"{_TASK}:subscribe", "SubscribeToTask"),
        ("POST", _PUSH, "CreateTaskPushNotificationConfig"),
        ("GET", _PUSH, "ListTaskPushNotificationConfigs"),
        ("GET", f"{_PUSH}/[^/]+", "GetTaskPushNotificationConfig"),
        ("DELETE", f"{_PUSH}/[^/]+", "DeleteTaskPushNotificationConfig"),
        ("GET", "/extendedAgentCard", "GetExtendedAgentCard"),
    )
)


def endpoint(agent: Agent) -> Endpoint:
    """The endpoint, to be mounted."""

    def handle(question: Question) -> Response:
        return _json_rpc(agent, question) if question.path == "" else _http_json(agent, question)

    return Endpoint(
        path=a2a.PATH,
        methods=("GET", "POST", "DELETE"),
        handle=handle,
        refuse=refuse,
        request_headers=("Content-Type", a2a.VERSION_HEADER, "A2A-Extensions"),
        below=True,
    )


def refuse(problem: Problem, request: Request) -> Response:
    """A failure in the form of the binding that the address is of."""
    status = problem.status_code
    if request.scope["path"] == a2a.PATH:
        code = INVALID_REQUEST if status < 500 else INTERNAL_ERROR
        body: dict[str, Any] = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": problem.detail}}
    else:
        name = _STATUS_NAMES.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")
        body = {"error": {"code": status, "status": name, "message": problem.detail}}
    return Response(msgspec.json.encode(body), status, problem.headers, "application/json")


def _json_rpc(agent: Agent, question: Question) -> Response:
    if question.request.method != "POST":
        raise Problem(405, "method_not_allowed", "JSON-RPC is sent by POST.", headers={"Allow": "POST, OPTIONS"})
    check_media_type(question.request, JSON_TYPES)
    try:
        message = read_message(question.body)
    except BadMessage as problem:
        error = {"code": problem.code, "message": str(problem)}
        return _json({"jsonrpc": "2.0", "id": None, "error": error}, "application/json", 400)
    method, envelope = message["method"], {"jsonrpc": "2.0", "id": message.get("id")}
    try:
        result = _perform(agent, question, method, message.get("params", {}))
    except A2aError as problem:
        failed = {"code": problem.failure.code, "message": problem.message, "data": problem.details}
        return _json({**envelope, "error": failed}, "application/json", 200)
    if method in a2a.STREAMED:
        return _stream({**envelope, "result": result})
    return _json({**envelope, "result": result}, "application/json", 200)


def _http_json(agent: Agent, question: Question) -> Response:
    request = question.request
    try:
        method, params = _operation(request.method, question.path)
        if request.method == "POST" and question.body:
            body = json_body(question, JSON_TYPES)
            if not isinstance(body, dict):
                raise A2aError(a2a.BAD_PARAMS, "The body must be a JSON object.")
            params = {**body, **params}
        result = _perform(agent, question, method, params)
    except A2aError as problem:
        failure = problem.failure
        error = {"code": failure.status, "status": failure.grpc, "message": problem.message}
        return _json({"error": {**error, "details": problem.details}}, "application/json", failure.status)
    return _stream(result) if method in a2a.STREAMED else _json(result, a2a.MEDIA_TYPE, 200)


def _operation(method: str, path: str) -> tuple[str, dict[str, Any]]:
    for wanted, pattern, name in OPERATIONS:
        found = pattern.fullmatch(path) if wanted == method else None
        if found is not None:
            return name, found.groupdict()
    raise A2aError(a2a.NO_METHOD, "There is no such operation here.")


def _perform(agent: Agent, question: Question, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    request = question.request
    # Of a request without a version, the specification says that it is of 0.3.
    version = request.headers.get(a2a.VERSION_HEADER) or request.query_params.get(a2a.VERSION_HEADER, "")
    return agent.perform(method, params, version, question.public, new_id("msg"))


def _json(body: dict[str, Any], kind: str, status: int) -> Response:
    return Response(msgspec.json.encode(body), status, media_type=kind)


def _stream(event: dict[str, Any]) -> Response:
    """The whole stream: one event, as the answer is one message."""
    content = b"data: " + msgspec.json.encode(event) + b"\n\n"
    return Response(content, headers=STREAM_HEADERS, media_type=STREAM)
