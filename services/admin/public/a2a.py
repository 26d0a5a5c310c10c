"""An A2A agent that answers questions about this gateway: protocol 1.0, messages and no tasks.

It decides which operations there are and how each fails, for both bindings. It must not know HTTP. Pure: ids of answers
come as an argument.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oneapi.runtime.json_rpc import INVALID_PARAMS, METHOD_NOT_FOUND
from services.admin.public.ask.answer import Asking
from services.admin.public.mcp_server.tools import as_data
from services.admin.public.site import Public

VERSION, VERSION_HEADER = "1.0", "A2A-Version"
MEDIA_TYPE = "application/a2a+json"
PATH = "/a2a"
JSON_RPC, HTTP_JSON = "JSONRPC", "HTTP+JSON"
BINDINGS = (JSON_RPC, HTTP_JSON)
OUTPUT_MODES = ("text/plain", "application/json")
MAX_PARTS = 50
MAX_CONTEXT_ID = 128
STREAMED = frozenset({"SendStreamingMessage"})


@dataclass(frozen=True, slots=True)
class Failure:
    """How one kind of failure is told: JSON-RPC's code; HTTP's status with gRPC's name; the reason."""

    code: int
    status: int
    grpc: str
    reason: str


TASK_NOT_FOUND = Failure(-32001, 404, "NOT_FOUND", "TASK_NOT_FOUND")
NO_PUSH = Failure(-32003, 400, "FAILED_PRECONDITION", "PUSH_NOTIFICATION_NOT_SUPPORTED")
UNSUPPORTED = Failure(-32004, 400, "FAILED_PRECONDITION", "UNSUPPORTED_OPERATION")
CONTENT_TYPE = Failure(-32005, 400, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED")
VERSION_UNKNOWN = Failure(-32009, 400, "FAILED_PRECONDITION", "VERSION_NOT_SUPPORTED")
BAD_PARAMS = Failure(INVALID_PARAMS, 400, "INVALID_ARGUMENT", "INVALID_PARAMS")
NO_METHOD = Failure(METHOD_NOT_FOUND, 404, "NOT_FOUND", "METHOD_NOT_FOUND")


class A2aError(Exception):
    """An operation failed."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message

    @property
    def details(self) -> list[dict[str, Any]]:
        """What programs read."""
        return [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": self.failure.reason,
                "domain": "a2a-protocol.org",
                "metadata": {},
            }
        ]


class Agent:
    """Answers operations by the names that JSON-RPC has for them."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def perform(
        self, method: str, params: Mapping[str, Any], version: str, public: Public, answer_id: str
    ) -> dict[str, Any]:
        """The result. Raises A2aError. A version that is not said is 0.3."""
        if version != VERSION:
            raise A2aError(VERSION_UNKNOWN, f"Only version {VERSION} of A2A is spoken here; send it as A2A-Version.")
        if method in {"SendMessage", "SendStreamingMessage"}:
            return self._send(params, public, answer_id)
        if method == "ListTasks":
            return {"tasks": [], "nextPageToken": "", "pageSize": 0, "totalSize": 0}
        if method in {"GetTask", "CancelTask", "SubscribeToTask"}:
            if not isinstance(params.get("id"), str) or not params["id"]:
                raise A2aError(BAD_PARAMS, "The id of the task is missing.")
            raise A2aError(TASK_NOT_FOUND, "There are no tasks here: every answer is a message.")
        if method.endswith(("PushNotificationConfig", "PushNotificationConfigs")):
            raise A2aError(NO_PUSH, "There are no push notifications here.")
        if method == "GetExtendedAgentCard":
            raise A2aError(UNSUPPORTED, "There is no extended card: nobody is told more than anybody else.")
        raise A2aError(NO_METHOD, "There is no such operation here.")

    def _send(self, params: Mapping[str, Any], public: Public, answer_id: str) -> dict[str, Any]:
        message = params.get("message")
        if not isinstance(message, dict):
            raise A2aError(BAD_PARAMS, "message must be an object.")
        if not isinstance(message.get("messageId"), str) or not message["messageId"]:
            raise A2aError(BAD_PARAMS, "message.messageId must be a text.")
        if message.get("role") != "ROLE_USER":
            raise A2aError(BAD_PARAMS, "message.role must be ROLE_USER.")
        text = _text(message.get("parts"))
        if message.get("taskId"):
            raise A2aError(TASK_NOT_FOUND, "There are no tasks here: every answer is a message.")
        _check_modes(params.get("configuration"))
        answer = self._asking.answer(text, public)
        lines = [answer.text, *(f"{found.name}: {found.url}" for found in answer.results)]
        told: dict[str, Any] = {
            "messageId": answer_id,
            "role": "ROLE_AGENT",
            "parts": [
                {"text": "\n".join(lines), "mediaType": OUTPUT_MODES[0]},
                {"data": as_data(answer, public), "mediaType": OUTPUT_MODES[1]},
            ],
        }
        context = message.get("contextId")
        if isinstance(context, str) and 0 < len(context) <= MAX_CONTEXT_ID:
            told["contextId"] = context
        return {"message": told}


def _text(parts: object) -> str:
    if not isinstance(parts, list) or not 0 < len(parts) <= MAX_PARTS or not all(isinstance(p, dict) for p in parts):
        raise A2aError(BAD_PARAMS, f"message.parts must be a list of 1 to {MAX_PARTS} parts.")
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    if not texts:
        raise A2aError(CONTENT_TYPE, "Only parts of text are read here.")
    return " ".join(texts)


def _check_modes(configuration: object) -> None:
    if configuration is None:
        return
    if not isinstance(configuration, dict):
        raise A2aError(BAD_PARAMS, "configuration must be an object.")
    modes = configuration.get("acceptedOutputModes")
    if modes and (not isinstance(modes, list) or not set(OUTPUT_MODES) & {str(mode) for mode in modes}):
        raise A2aError(CONTENT_TYPE, f"Answers are {' and '.join(OUTPUT_MODES)}.")
    if configuration.get("pushNotificationConfig") or configuration.get("taskPushNotificationConfig"):
        raise A2aError(NO_PUSH, "There are no push notifications here.")
