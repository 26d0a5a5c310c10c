"""Turns that go on from each other: what is loaded, what is kept, what is said when something is missing."""

from typing import Any

import pytest

from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.errors import GatewayError
from services.edge.state import asked as state_asked
from services.edge.state.allowance import BURST_BYTES
from services.edge.state.conversations import MAX_ITEMS, Conversations
from services.edge.state.keeping import Keeping
from services.edge.state.past import MAX_REFERENCES, MAX_TURNS, Past, Pasts
from services.edge.state.records import Conversation, Place
from services.edge.state.responses import Responses
from services.edge.state.store import StateUnavailable
from tests.unit.services.edge.state.memory import MemoryStore

SEAL = Seal(b"secret")
ACCOUNT = "acc"


def seed(number: int) -> str:
    return f"{number:032x}"


class Desk:
    """One account's turns."""

    def __init__(self, max_bytes: int = 100_000) -> None:
        self.memory = MemoryStore()
        self.pasts = Pasts(self.memory.store, max_bytes)
        self.conversations = Conversations(self.memory.store, max_bytes)
        self.responses = Responses(self.memory.store, self.pasts)
        self._number = 0

    async def load(self, given: Any = "hi", account: str = ACCOUNT, **asked: Any) -> tuple[Past, Keeping]:
        self._number += 1
        read = state_asked.read({"input": given, **asked})
        past = await self.pasts.load(account, read, given, seed(self._number), SEAL)
        return past, Keeping(self.memory.store, self.conversations, account, read, past, seed(self._number))

    async def turn(self, given: Any = "hi", output: list[Any] | None = None, **asked: Any) -> dict[str, Any]:
        _, keeping = await self.load(given, **asked)
        said = [{"type": "message", "id": "msg_1", "role": "assistant", "content": [], "status": "completed"}]
        keeping.shown.response = {"id": keeping.shown._id, "output": said if output is None else output}
        await keeping.end("ch/m")
        return dict(keeping.shown.response)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def refused(asked: Any) -> GatewayError:
    with pytest.raises(GatewayError) as found:
        await asked
    return found.value


async def test_each_turn_has_all_before_it(desk: Desk) -> None:
    first = await desk.turn("a")
    second = await desk.turn("b", previous_response_id=first["id"])
    past, _ = await desk.load("c", previous_response_id=second["id"], store=False)
    assert [item["role"] for item in past.before] == ["user", "assistant", "user", "assistant"]
    assert past.own == [{"role": "user", "content": "c"}]
    assert past.thread == past.earlier[0] == f"seg_{seed(1)}"
    items = await desk.responses.input_items(ACCOUNT, second["id"])
    assert [item["role"] for item in items] == ["user", "assistant", "user"]
    # The upstream counts from one in each answer: what is stored can be told apart all the same.
    assert len(past.taken) == 5
    await desk.responses.delete(ACCOUNT, first["id"])
    error = await refused(desk.load(previous_response_id=second["id"]))
    assert (error.status, error.code) == (400, "previous_response_not_found")


async def test_references_to_items_of_both_kinds_of_ids(desk: Desk) -> None:
    own = {"type": "message", "id": f"msg_{seed(1)}0001", "role": "assistant", "content": []}
    theirs = {"type": "message", "id": "msg_theirs", "role": "assistant", "content": []}
    await desk.turn("a", [own, theirs])
    given = [{"type": "item_reference", "id": each["id"]} for each in (own, theirs, own)]
    past, _ = await desk.load([*given, {"role": "user", "content": "b"}])
    assert [item["role"] for item in past.own] == ["assistant", "assistant", "assistant", "user"]
    assert not any("id" in item for item in past.own)
    error = await refused(desk.load(given, account="other"))
    assert (error.status, error.code, error.param) == (404, "item_not_found", "input")
    many = [{"type": "item_reference", "id": f"msg_{number}"} for number in range(MAX_REFERENCES + 1)]
    assert (await refused(desk.load(many))).code == "context_length_exceeded"


async def test_an_item_that_is_named_often_is_no_larger_request() -> None:
    desk = Desk(max_bytes=5_000)
    item = {"type": "message", "id": f"msg_{seed(1)}0001", "role": "assistant", "content": "x" * 900}
    await desk.turn("a", [item])
    reference = {"type": "item_reference", "id": item["id"]}
    await desk.load([reference] * 4)
    assert (await refused(desk.load([reference] * 6))).code == "context_length_exceeded"
    assert (await refused(desk.load([reference] * 100_000))).code == "context_length_exceeded"


async def test_items_that_share_an_id_are_found_by_none(desk: Desk) -> None:
    theirs = {"type": "message", "id": "msg_theirs", "role": "assistant", "content": []}
    await desk.turn("a", [theirs])
    await desk.load([{"type": "item_reference", "id": "msg_theirs"}])
    await desk.turn("b", [theirs])
    assert (await refused(desk.load([{"type": "item_reference", "id": "msg_theirs"}]))).code == "item_not_found"


async def test_bounds_of_a_past() -> None:
    desk = Desk(max_bytes=2_000)
    first = await desk.turn("x" * 900)
    for given in ("x" * 900, "x" * 2_000):
        error = await refused(desk.load(given, previous_response_id=first["id"]))
        assert (error.status, error.code) == (400, "context_length_exceeded")
    await desk.load("short", previous_response_id=first["id"])


async def test_a_turn_too_many() -> None:
    desk = Desk(max_bytes=10**9)
    head = Conversation(1, {}, [Place(f"seg_{seed(number)}", [], 0) for number in range(MAX_TURNS + 1)])
    identity = await desk.conversations.create(ACCOUNT, seed(1), {}, [])

    def change(found: Conversation) -> None:
        found.places = head.places

    await desk.conversations._change(ACCOUNT, identity, change)
    assert (await refused(desk.load(conversation=identity))).code == "context_length_exceeded"


async def test_a_store_that_is_away(desk: Desk) -> None:
    first = await desk.turn()
    _, keeping = await desk.load()
    _, talking = await desk.load(conversation=await desk.conversations.create(ACCOUNT, seed(99), {}, []))
    desk.memory.away = True
    keeping.shown.response = {"output": []}
    assert b'"store":false' in await keeping.end("ch/m")
    assert keeping.lost
    talking.shown.response = {"output": []}
    assert (await refused(talking.end("ch/m"))).code == "state_unavailable"
    for asked in (
        desk.load(previous_response_id=first["id"]),
        desk.load(conversation=f"conv_{seed(1)}"),
        desk.responses.read(ACCOUNT, first["id"]),
        desk.responses.input_items(ACCOUNT, first["id"]),
        desk.conversations.read(ACCOUNT, f"conv_{seed(1)}"),
        desk.conversations.create(ACCOUNT, seed(1), {}, []),
    ):
        error = await refused(asked)
        assert (error.status, error.code) == (503, "state_unavailable")


async def test_failed_and_unstored_answers_leave_nothing(desk: Desk) -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {"status": "failed", "output": []}),
        ({"store": False}, {"output": []}),
    ]
    for asked, response in cases:
        _, keeping = await desk.load("a", **asked)
        keeping.shown.response = response
        assert b'"store":false' in await keeping.end("ch/m")
        assert not keeping.lost
    assert desk.memory.records == {}


async def test_a_conversation_under_rivals(desk: Desk) -> None:
    identity = await desk.conversations.create(ACCOUNT, seed(50), {"a": "b"}, [{"role": "user", "content": "a"}])
    desk.memory.rivals = 3
    await desk.turn("b", conversation=identity)
    assert [item["role"] for item in await desk.conversations.items(ACCOUNT, identity)] == ["user", "user", "assistant"]
    desk.memory.rivals = 100
    _, keeping = await desk.load("c", conversation=identity)
    keeping.shown.response = {"output": []}
    error = await refused(keeping.end("ch/m"))
    assert (error.status, error.code) == (409, "conversation_changed")


async def test_a_conversation_that_went_away_misses_nothing(desk: Desk) -> None:
    identity = await desk.conversations.create(ACCOUNT, seed(50), {}, [{"role": "user", "content": "a"}])
    _, keeping = await desk.load("b", conversation=identity, store=False)
    await desk.conversations.delete(ACCOUNT, identity)
    keeping.shown.response = {"output": []}
    assert await keeping.end("ch/m")
    assert (await refused(desk.load(conversation=identity))).code == "conversation_not_found"
    assert not desk.memory.records, "and nothing of it stays"


async def test_taking_a_conversation_away_can_be_tried_again(desk: Desk) -> None:
    identity = await desk.conversations.create(ACCOUNT, seed(50), {}, [{"role": "user", "content": "a"}])
    deleted = desk.memory.delete

    async def breaks_off(account_id: str, key: str, *, last: int | None = None) -> None:
        if key == identity:
            raise StateUnavailable
        await deleted(account_id, key, last=last)

    desk.memory.delete = breaks_off  # type: ignore[method-assign]
    assert (await refused(desk.conversations.delete(ACCOUNT, identity))).status == 503
    desk.memory.delete = deleted  # type: ignore[method-assign]
    await desk.conversations.delete(ACCOUNT, identity)
    assert not desk.memory.records


async def test_storing_for_nothing_has_a_bound() -> None:
    desk = Desk(max_bytes=10**9)
    item = {"role": "user", "content": "x" * (BURST_BYTES * 2 // 3)}
    identity = await desk.conversations.create(ACCOUNT, seed(50), {}, [item])
    for refusal in (
        await refused(desk.conversations.create(ACCOUNT, seed(51), {}, [item])),
        await refused(desk.conversations.add(ACCOUNT, identity, seed(52), [item])),
    ):
        assert (refusal.status, refusal.code) == (429, "storage_rate_limited")
        assert refusal.retry_after_s
    assert len(desk.memory.records) == 2


async def test_a_conversation_that_is_full(desk: Desk) -> None:
    identity = await desk.conversations.create(ACCOUNT, seed(50), {}, [])

    def fill(head: Conversation) -> None:
        head.places = [Place("seg_full", ["x"] * MAX_ITEMS, 1)]

    await desk.conversations._change(ACCOUNT, identity, fill)
    error = await refused(desk.conversations.add(ACCOUNT, identity, seed(51), [{"role": "user", "content": "a"}]))
    assert (error.status, error.code) == (400, "conversation_too_long")
    assert [key for _, key in desk.memory.records] == [identity], "what there is no room for isn't written"
