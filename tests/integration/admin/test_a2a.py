"""The A2A agent as it is called: by the official client over both bindings, and by hand."""

from typing import Any

import httpx
import httpx2
import msgspec
import pytest
from a2a.client import ClientConfig, ClientFactory
from a2a.types import AgentCard, GetTaskRequest, ListTasksRequest, Message, Part, Role, SendMessageRequest
from a2a.utils.errors import TaskNotFoundError
from google.protobuf.json_format import MessageToDict, ParseDict

from services.admin.web.endpoints.layer import MAX_BODY
from tests.integration.admin.gateway import Admin

PATH = "/a2a"
CARD = "/.well-known/agent-card.json"
SPOKEN = {"a2a-version": "1.0"}
BINDINGS = ["JSONRPC", "HTTP+JSON"]


def message(text: str = "price of sandbox", **more: Any) -> dict[str, Any]:
    return {"message": {"messageId": "m1", "role": "ROLE_USER", "parts": [{"text": text}], **more}}


def rpc(method: str, params: Any = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": "1", "method": method, "params": {} if params is None else params}


async def card_of(admin: Admin) -> AgentCard:
    """The card, read strictly: a member that 1.0 doesn't have is an error."""
    served = await admin.speaking_as(None).get(CARD)
    assert served.headers["content-type"] == "application/json"
    card: AgentCard = ParseDict(served.json(), AgentCard(), ignore_unknown_fields=False)
    return card


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("streaming", [True, False])
async def test_the_official_client_is_answered(admin: Admin, binding: str, streaming: bool) -> None:
    transport = httpx.ASGITransport(app=admin.application)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        config = ClientConfig(streaming=streaming, httpx_client=http, supported_protocol_bindings=[binding])
        client = ClientFactory(config).create(await card_of(admin))
        asked = Message(message_id="m1", role=Role.ROLE_USER, context_id="c1", parts=[Part(text="price of sandbox")])
        for price in ("7", "8.5"):
            assert (await admin.client.put("/api/prices/sandbox", json={"input": price})).status_code == 200
            answers = [answer async for answer in client.send_message(SendMessageRequest(message=asked))]
            assert len(answers) == 1
            told = answers[0].message
            assert (told.role, told.context_id) == (Role.ROLE_AGENT, "c1")
            data = MessageToDict(told.parts[1].data)
            descriptions = [found["description"] for found in data["results"]]
            assert any(f"input {price}" in text for text in descriptions)
        with pytest.raises(TaskNotFoundError):
            await client.get_task(GetTaskRequest(id="t1"))
        listed = await client.list_tasks(ListTasksRequest())
        assert (list(listed.tasks), listed.total_size) == ([], 0)


async def test_the_card_names_what_is_required(untouched: Admin) -> None:
    card = await card_of(untouched)
    assert [interface.protocol_binding for interface in card.supported_interfaces] == BINDINGS
    assert {(interface.url, interface.protocol_version) for interface in card.supported_interfaces} == {
        ("http://gateway.test/a2a", "1.0")
    }
    for field in AgentCard.DESCRIPTOR.fields:
        if field.name in {"name", "description", "version", "skills", "default_input_modes", "default_output_modes"}:
            assert getattr(card, field.name), field.name
    assert card.capabilities.streaming
    assert all(skill.id and skill.name and skill.description and skill.tags for skill in card.skills)


ERRORS: list[tuple[str, Any, int, tuple[str, str, bytes | None], int]] = [
    ("GetTask", {"id": "t"}, -32001, ("GET", "/tasks/t", None), 404),
    ("CancelTask", {"id": "t"}, -32001, ("POST", "/tasks/t:cancel", b"{}"), 404),
    ("SubscribeToTask", {"id": "t"}, -32001, ("POST", "/tasks/t:subscribe", b""), 404),
    ("CreateTaskPushNotificationConfig", {}, -32003, ("POST", "/tasks/t/pushNotificationConfigs", b"{}"), 400),
    ("ListTaskPushNotificationConfigs", {}, -32003, ("GET", "/tasks/t/pushNotificationConfigs", None), 400),
    ("DeleteTaskPushNotificationConfig", {}, -32003, ("DELETE", "/tasks/t/pushNotificationConfigs/1", None), 400),
    ("GetExtendedAgentCard", {}, -32004, ("GET", "/extendedAgentCard", None), 400),
    ("SendMessage", {}, -32602, ("POST", "/message:send", b"{}"), 400),
    ("SendMessage", {"message": {"messageId": "m"}}, -32602, ("POST", "/message:send", b'{"message":{}}'), 400),
    ("Nonsense", {}, -32601, ("GET", "/nonsense", None), 404),
    ("message/send", {}, -32601, ("PUT", "/message:send", b""), 405),
]


@pytest.mark.parametrize(("method", "params", "code", "http", "status"), ERRORS)
async def test_failures_in_both_bindings(
    untouched: Admin, method: str, params: Any, code: int, http: tuple[str, str, bytes | None], status: int
) -> None:
    anyone = untouched.speaking_as(None)
    answer = await anyone.post(PATH, json=rpc(method, params), headers=SPOKEN)
    assert answer.status_code == 200
    failed = answer.json()["error"]
    assert failed["code"] == code
    assert failed["data"][0]["domain"] == "a2a-protocol.org"
    verb, path, body = http
    headers = SPOKEN | ({} if body is None else {"content-type": "application/json"})
    answer = await anyone.request(verb, PATH + path, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    told = answer.json()["error"]
    assert told["code"] == status
    if status != 405:
        assert told["details"][0]["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (message(role="ROLE_AGENT"), -32602),
        (message(parts=[]), -32602),
        (message(parts="text"), -32602),
        (message(parts=[{"url": "https://evil.test/x"}]), -32005),
        (message(taskId="t"), -32001),
        (message() | {"configuration": {"acceptedOutputModes": ["image/png"]}}, -32005),
        (message() | {"configuration": {"acceptedOutputModes": "image/png"}}, -32005),
        (message() | {"configuration": []}, -32602),
        (message() | {"configuration": {"taskPushNotificationConfig": {"url": "https://evil.test"}}}, -32003),
    ],
)
async def test_messages_that_are_not_answered(untouched: Admin, changed: Any, code: int) -> None:
    answer = await untouched.speaking_as(None).post(PATH, json=rpc("SendMessage", changed), headers=SPOKEN)
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize("version", [None, "", "0.3", "1.1", "2.0"])
async def test_another_version_is_refused(untouched: Admin, version: str | None) -> None:
    headers = {} if version is None else {"a2a-version": version}
    anyone = untouched.speaking_as(None)
    answer = await anyone.post(PATH, json=rpc("SendMessage", message()), headers=headers)
    assert answer.json()["error"]["code"] == -32009
    answer = await anyone.post(f"{PATH}/message:send", json=message(), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["reason"] == "VERSION_NOT_SUPPORTED"


async def test_both_media_types_are_read_and_streams_are_one_event(untouched: Admin) -> None:
    anyone = untouched.speaking_as(None)
    headers = SPOKEN | {"content-type": "application/a2a+json"}
    answer = await anyone.post(f"{PATH}/message:send", content=msgspec.json.encode(message()), headers=headers)
    assert answer.headers["content-type"] == "application/a2a+json"
    assert answer.json()["message"]["role"] == "ROLE_AGENT"
    stream = await anyone.post(f"{PATH}/message:stream", json=message(), headers=SPOKEN)
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.text.startswith('data: {"message":')
    assert stream.text.count("data: ") == 1


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 400), (b"[" * 60_000, 400), (b" " * (MAX_BODY + 1), 413)],
)
async def test_bad_bodies(untouched: Admin, content: bytes, status: int) -> None:
    anyone = untouched.speaking_as(None)
    headers = SPOKEN | {"content-type": "application/json"}
    for path in (PATH, f"{PATH}/message:send"):
        answer = await anyone.post(path, content=content, headers=headers)
        assert answer.status_code == status, (path, answer.text)
        assert "code" in answer.json()["error"]


async def test_other_methods_and_types(untouched: Admin) -> None:
    anyone = untouched.speaking_as(None)

    def is_refused(answer: httpx2.Response, status: int) -> None:
        assert answer.status_code == status
        assert answer.json()["error"]["message"]

    is_refused(await anyone.get(PATH), 405)
    is_refused(await anyone.put(PATH), 405)
    is_refused(await anyone.post(PATH, content=b"{}", headers={"content-type": "text/plain"}), 415)
    is_refused(await anyone.post(f"{PATH}/message:send", content=b"{}", headers={"content-type": "text/plain"}), 415)
    packed = {"content-type": "application/json", "content-encoding": "gzip"}
    is_refused(await anyone.post(PATH, content=b"{}", headers=packed), 415)
    preflight = await anyone.options(f"{PATH}/message:send", headers={"origin": "https://else.test"})
    assert "A2A-Version" in preflight.headers["access-control-allow-headers"]
