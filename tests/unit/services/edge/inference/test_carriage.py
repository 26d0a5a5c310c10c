"""What becomes of a request at a channel of its own format, and at one of another."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from oneapi.catalog.types import Channel, ChannelLimits
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.registry import DIALECTS
from proto.router.v1.router_pb2 import Candidate, Plan
from services.edge.inference import output_cap
from services.edge.inference.carriage import Carriage
from services.edge.inference.carried import Carried, loss_header
from services.edge.inference.endpoints import ENDPOINTS
from services.edge.inference.exchange import Exchange

PATHS = {endpoint.dialect: endpoint for endpoint in ENDPOINTS.values() if not endpoint.counts}
CHAT, RESPONSES, MESSAGES = "openai_chat", "openai_responses", "anthropic_messages"
STATE = "the provider's own"
THOUGHT = {
    "id": "resp_1",
    "status": "completed",
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": STATE},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"},
    ],
}


def channel(name: str = "ch", **fields: Any) -> Channel:
    return Channel(id=name, name=name, provider="anthropic", models=("m",), **fields)


def exchange(client: str, body: dict[str, Any], account: str = "acc", *, hard: bool = True) -> Exchange:
    raw = msgspec.json.encode(body)
    made = SimpleNamespace(
        endpoint=PATHS[client],
        body=raw,
        facts=DIALECTS[client].inspect(raw),
        account=SimpleNamespace(id=account),
        arrival=SimpleNamespace(request_id="0199-aa"),
        offer=SimpleNamespace(channels=(channel(), channel("other"))),
        asked=None,
        hard=hard,
        keeping=None,
    )
    return cast("Exchange", made)


def candidate(dialect: str, name: str = "ch") -> Candidate:
    return Candidate(channel_id=name, upstream_model="claude-opus-5", dialect=dialect)


def chat(*turns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "a"}, *turns], **more}


def carriage(secret: str = "s", *previous: str) -> Carriage:
    return Carriage(secret, previous, 8_192)


def sent(carried: Carried) -> dict[str, Any]:
    assert carried.conversion is not None
    body: dict[str, Any] = msgspec.json.decode(carried.conversion.body)
    return body


def test_the_same_format_goes_on_as_it_came() -> None:
    asked = exchange(CHAT, chat(seed=1))
    carried = carriage().carry(asked, candidate(CHAT), channel(), strict=True)
    assert carried.body is asked.body
    assert (carried.conversion, carried.losses) == (None, [])


def test_another_format_is_told_names_and_bounds() -> None:
    asked = exchange(CHAT, chat(seed=1))
    carried = carriage().carry(asked, candidate(MESSAGES), channel())
    assert (sent(carried)["model"], sent(carried)["max_tokens"]) == ("claude-opus-5", 8_192)
    assert carried.losses == ["seed"]
    again = carriage().carry(asked, candidate(MESSAGES), channel(limits=ChannelLimits(max_output_tokens=9)))
    assert sent(again)["max_tokens"] == 9
    with pytest.raises(GatewayError) as refused:
        carriage().carry(asked, candidate(MESSAGES), channel(), strict=True)
    assert (refused.value.status, refused.value.code) == (400, "conversion_loss")


def test_what_was_read_ahead_is_not_read_again() -> None:
    asked = exchange(CHAT, chat())
    carriage().read_ahead(asked)
    read = asked.asked
    assert read is not None
    carriage().carry(asked, candidate(MESSAGES), channel())
    assert asked.asked is read


def test_what_cannot_be_read_ahead_is_refused_when_it_is_needed() -> None:
    asked = exchange(CHAT, chat({"role": "nobody", "content": "a"}))
    carriage().read_ahead(asked)
    assert asked.asked is None
    with pytest.raises(GatewayError) as refused:
        carriage().carry(asked, candidate(MESSAGES), channel())
    assert refused.value.status == 400


def test_the_whole_plan() -> None:
    asked = exchange(CHAT, chat(seed=1))
    plan = Plan(candidates=[candidate(MESSAGES), candidate(CHAT, "other"), candidate(CHAT, "gone")])
    assert [each.channel_id for each in carriage().whole(asked, plan).candidates] == ["other"]
    with pytest.raises(GatewayError):
        carriage().whole(asked, Plan(candidates=[candidate(MESSAGES)]))
    assert not carriage().whole(asked, Plan(candidates=[candidate(CHAT, "gone")])).candidates


def second_turn(made: Carriage, account: str) -> dict[str, Any]:
    """What a client of Messages sends when its tool has answered."""
    asked = {
        "model": "m",
        "max_tokens": 9_000,
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "thinking": {"type": "adaptive"},
    }
    user = {"role": "user", "content": "a"}
    first = exchange(MESSAGES, {**asked, "messages": [user]}, account)
    conversion = made.carry(first, candidate(RESPONSES), channel()).conversion
    assert conversion is not None
    answer = msgspec.json.decode(conversion.response(msgspec.json.encode(THOUGHT)).body)
    assert STATE not in str(answer)
    result = {"type": "tool_result", "tool_use_id": answer["content"][-1]["id"], "content": "1"}
    said = {"role": "assistant", "content": answer["content"]}
    return {**asked, "messages": [user, said, {"role": "user", "content": [result]}]}


def test_state_comes_back_to_the_account_and_the_channel_that_it_is_of() -> None:
    body = second_turn(carriage(), "acc")
    mine = carriage().carry(exchange(MESSAGES, body), candidate(RESPONSES), channel())
    assert STATE in str(sent(mine))
    assert mine.losses == []
    for account, name in (("other", "ch"), ("acc", "other")):
        theirs = carriage().carry(exchange(MESSAGES, body, account), candidate(RESPONSES), channel(name))
        assert STATE not in str(sent(theirs))
        assert theirs.losses == ["reasoning_history"]


def test_a_previous_secret_opens_as_well() -> None:
    body = second_turn(carriage("old"), "acc")
    for made, opened in ((carriage("new", "old"), True), (carriage("new"), False)):
        carried = made.carry(exchange(MESSAGES, body), candidate(RESPONSES), channel())
        assert (STATE in str(sent(carried))) == opened


def test_a_channel_of_the_same_format_gets_no_tokens() -> None:
    body = second_turn(carriage(), "acc")
    carried = carriage().carry(exchange(MESSAGES, body), candidate(MESSAGES), channel())
    assert b"oa1-" not in carried.body
    assert carried.losses == ["reasoning_history", "thinking"]
    with pytest.raises(GatewayError):
        carriage().carry(exchange(MESSAGES, body), candidate(MESSAGES), channel(), strict=True)


def test_a_long_header_is_cut_between_names() -> None:
    assert loss_header([]) == []
    assert loss_header(["seed", "n"]) == [(b"x-oneapi-loss", b"seed, n")]
    ((_, value),) = loss_header([f"{i:0100}" for i in range(30)])
    assert len(value) <= 1024
    assert value.count(b", ") == 9


@pytest.mark.parametrize(
    ("client", "cap", "dialects", "least"),
    [
        (CHAT, 1, (RESPONSES,), 16),
        (CHAT, 1, (RESPONSES, CHAT), 0),
        (CHAT, 40, (RESPONSES,), 0),
        (CHAT, 1, (MESSAGES,), 0),
    ],
)
def test_responses_has_a_least_cap(client: str, cap: int, dialects: tuple[str, ...], least: int) -> None:
    asked = exchange(client, chat(max_tokens=cap))
    asked.offer = cast("Any", SimpleNamespace(channels=(channel(dialects=dialects),)))
    assert output_cap.shortest(asked) == least


def test_what_a_channel_is_told_of_the_cap() -> None:
    limited = channel(limits=ChannelLimits(max_output_tokens=100))
    unsaid, small, large = (exchange(CHAT, chat(**more)) for more in ({}, {"max_tokens": 5}, {"max_tokens": 500}))
    assert [output_cap.bound(asked, channel(), 8_192) for asked in (unsaid, small, large)] == [8_192, None, None]
    assert [output_cap.bound(asked, limited, 8_192) for asked in (unsaid, small, large)] == [100, None, 100]
    assert output_cap.bound(exchange(CHAT, chat(), hard=False), channel(), 8_192) is None
    assert output_cap.longest(large, 8_192) == 500
    assert output_cap.longest(unsaid, 8_192) == 8_192
