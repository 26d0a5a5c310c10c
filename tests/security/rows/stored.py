"""T: what one tenant has stored at the gateway, and another."""

import dataclasses
import functools
import uuid
from typing import Any

import httpx2

from tests.security.table import Absent, Row
from tests.security.world import World

NOBODYS = "0" * 32
ITEM = {"role": "user", "content": "hello"}


@dataclasses.dataclass(frozen=True)
class Stored:
    """What the second tenant has stored; `word` is said in all of it."""

    word: str
    response: str
    item: str
    conversation: str
    conversation_item: str

    def filled(self, text: str) -> str:
        """The text with these ids."""
        return text.format_map(dataclasses.asdict(self))


NOTHING = Stored("", f"resp_{NOBODYS}", f"msg_{NOBODYS}8000", f"conv_{NOBODYS}", f"msg_{NOBODYS}8000")


@functools.cache
def owned(world: World) -> Stored:
    """Made once, by the second tenant's key."""
    key = world.tenants[1].key
    mine, word = world.client(key), f"canary{uuid.uuid4().hex}"
    world.canaries.add(word)
    asked = {"model": "sandbox", "max_output_tokens": 20, "input": word}
    response = mine.post("/v1/responses", json=asked)
    assert response.status_code == 200, response.text
    world.bills(key, 1)
    conversation = mine.post("/v1/conversations", json={"items": [{**ITEM, "content": word}], "metadata": {"a": word}})
    assert conversation.status_code == 200, conversation.text
    identity = conversation.json()["id"]
    items = mine.get(f"/v1/conversations/{identity}/items").json()["data"]
    listed = mine.get(f"/v1/responses/{response.json()['id']}/input_items").json()["data"]
    return Stored(word, response.json()["id"], listed[0]["id"], identity, items[0]["id"])


@dataclasses.dataclass(frozen=True)
class Reach:
    """One way to reach for what another has stored."""

    method: str
    path: str
    body: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path} {self.body or ''}"

    def ask(self, world: World, key: str, stored: Stored) -> httpx2.Response:
        body = _filled(self.body, stored)
        return world.client(key).request(self.method, stored.filled(self.path), json=body)


def _filled(value: Any, stored: Stored) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each, stored) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, stored) for each in value]
    return stored.filled(value) if isinstance(value, str) else value


def _response(**fields: Any) -> Reach:
    return Reach("POST", "/v1/responses", {"model": "sandbox", "max_output_tokens": 20, "input": "hi", **fields})


REACHES = [
    Reach("GET", "/v1/responses/{response}"),
    Reach("GET", "/v1/responses/{response}?include=reasoning.encrypted_content"),
    Reach("GET", "/v1/responses/{response}/input_items"),
    Reach("GET", "/v1/responses/{response}/input_items?order=asc&after={item}"),
    Reach("POST", "/v1/responses/{response}/cancel"),
    Reach("DELETE", "/v1/responses/{response}"),
    Reach("GET", "/v1/conversations/{conversation}"),
    Reach("POST", "/v1/conversations/{conversation}", {"metadata": {"a": "b"}}),
    Reach("DELETE", "/v1/conversations/{conversation}"),
    Reach("GET", "/v1/conversations/{conversation}/items"),
    Reach("POST", "/v1/conversations/{conversation}/items", {"items": [ITEM]}),
    Reach("GET", "/v1/conversations/{conversation}/items/{conversation_item}"),
    Reach("DELETE", "/v1/conversations/{conversation}/items/{conversation_item}"),
    _response(previous_response_id="{response}"),
    _response(previous_response_id="{response}", store=False, stream=True),
    _response(conversation="{conversation}"),
    _response(conversation={"id": "{conversation}"}, stream=True),
    _response(input=[{"type": "item_reference", "id": "{item}"}]),
    _response(input=[ITEM, {"type": "item_reference", "id": "{conversation_item}"}]),
]


def anothers_state(world: World, reach: Reach) -> None:
    """It looks as if there were no such thing, and it is still there afterwards."""
    stored = owned(world)
    for stranger in (world.tenants[0].key, world.key):
        answer = reach.ask(world, stranger, stored)
        assert answer.status_code == (400 if "previous_response_id" in str(reach) else 404), answer.text
        assert stored.word not in answer.text
        nothing = reach.ask(world, stranger, NOTHING)
        assert (answer.status_code, answer.json()) == (nothing.status_code, nothing.json())
    mine = world.client(world.tenants[1].key)
    assert stored.word in mine.get(f"/v1/responses/{stored.response}").text
    assert stored.word in mine.get(f"/v1/conversations/{stored.conversation}/items").text
    assert world.client("sk-nobody").get(f"/v1/responses/{stored.response}").status_code == 401


BENT_IDS = [
    "resp_*",
    "resp_>",
    "*",
    ">",
    "resp_1",
    "resp_" + "0" * 31,
    "resp_" + "0" * 33,
    "resp_" + "G" * 32,
    "RESP_" + "0" * 32,
    "seg_" + "0" * 32,
    "item_" + "0" * 32,
    "conv_" + "0" * 32,
    "resp_" + "0" * 32 + ".0",
    "$KV.responses.x",
    "resp_" + "0" * 32 + "\n",
    "\u0000",
    "resp_" + "٠" * 32,
    "../conversations",
    "x" * 4_000,
]


def bent_ids(world: World, bent: str) -> None:
    """An id that could mean more than one thing to the bus is nobody's."""
    mine = world.client(world.tenants[0].key)
    for field in ("previous_response_id", "conversation"):
        answer = mine.post("/v1/responses", json={"model": "sandbox", "input": "hi", field: bent})
        expected = 400 if field == "previous_response_id" else 404
        assert answer.status_code == expected, f"{field}: {answer.status_code} {answer.text}"
    answer = mine.post("/v1/responses", json={"model": "sandbox", "input": [{"type": "item_reference", "id": bent}]})
    assert answer.status_code in {400, 404}, answer.text


@dataclasses.dataclass(frozen=True)
class Brought:
    """Items that no request may hold."""

    name: str
    items: list[dict[str, Any]]
    status: int


def _said(**part: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [part]}]


BROUGHT = [
    Brought("a picture inside", _said(type="input_image", image_url="http://169.254.169.254/latest"), 400),
    Brought("a file inside", _said(type="input_file", file_url="http://[::ffff:169.254.169.254]/"), 400),
    Brought("no http", _said(type="input_image", image_url="file:///etc/passwd"), 400),
    Brought("a provider's file", _said(type="input_file", file_id="file-1"), 404),
    Brought("a reference", [{"type": "item_reference", "id": f"msg_{NOBODYS}8000"}], 400),
]


def brought_in(world: World, brought: Brought) -> None:
    """A conversation is no way around what is checked of a request."""
    mine = world.client(world.tenants[0].key)
    made = mine.post("/v1/conversations", json={})
    assert made.status_code == 200, made.text
    for path in ("/v1/conversations", f"/v1/conversations/{made.json()['id']}/items"):
        answer = mine.post(path, json={"items": brought.items})
        assert answer.status_code == brought.status, f"{path}: {answer.text}"


ROWS: list[Row | Absent] = [
    Row("T-15", "what another tenant has stored at the gateway", anothers_state, REACHES),
    Row("T-16", "conversations that bring in what no request may say", brought_in, BROUGHT),
    Row("T-17", "ids of stored things that are none", bent_ids, BENT_IDS),
]
