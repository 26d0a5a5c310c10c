"""T: what a client carries for the gateway, in another tenant's hands."""

import dataclasses
import functools
from typing import Any

from tests.security.table import Absent, Row
from tests.security.world import World

COMPACT, RESPONSES = "/v1/responses/compact", "/v1/responses"
HELLO = {"role": "user", "content": "hello"}


@functools.cache
def summary_of(world: World) -> str:
    """The sealed summary of a conversation of the second tenant's; made once."""
    key = world.tenants[1].key
    answer = world.client(key).post(COMPACT, json={"model": "sandbox", "input": [HELLO]})
    assert answer.status_code == 200, answer.text
    world.bills(key, 1)
    return str(answer.json()["output"][-1]["encrypted_content"])


@dataclasses.dataclass(frozen=True)
class Carried:
    """One way to bring the summary in; `bent` changes what is sealed."""

    name: str
    path: str
    fields: dict[str, Any] = dataclasses.field(default_factory=dict)
    bent: bool = False


WAYS = [
    Carried("answered", RESPONSES),
    Carried("streamed", RESPONSES, {"stream": True, "store": False}),
    Carried("counted", "/v1/responses/input_tokens"),
    Carried("compacted again", COMPACT),
    Carried("answered, bent", RESPONSES, bent=True),
    Carried("compacted again, bent", COMPACT, bent=True),
]


def anothers_summary(world: World, way: Carried) -> None:
    """Nobody but its account can bring it in, nor can that change it; what is refused costs nothing."""
    token = summary_of(world)
    if way.bent:
        middle = len(token) // 2
        token = token[:middle] + ("B" if token[middle] == "A" else "A") + token[middle + 1 :]
    owner = world.tenants[1].key
    item = {"type": "compaction", "encrypted_content": token}
    body = {"model": "sandbox", "input": [item, HELLO], **way.fields}
    for key in (world.tenants[0].key, world.key, *((owner,) if way.bent else ())):
        answer = world.client(key).post(way.path, json=body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["code"] == "invalid_encrypted_content", answer.text
        assert token not in answer.text


def in_a_conversation(world: World, path: str) -> None:
    """What a conversation was given is looked at when it is gone on from."""
    item = {"type": "compaction", "encrypted_content": summary_of(world)}
    stranger = world.client(world.tenants[0].key)
    made = stranger.post("/v1/conversations", json={"items": [item]})
    assert made.status_code == 200, made.text
    answer = stranger.post(path, json={"model": "sandbox", "input": "hi", "conversation": made.json()["id"]})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "invalid_encrypted_content", answer.text


ROWS: list[Row | Absent] = [
    Row("T-18", "another tenant's compaction item, or a changed one", anothers_summary, WAYS),
    Row("T-19", "another tenant's compaction item by way of a conversation", in_a_conversation, [RESPONSES, COMPACT]),
]
