"""What an upstream sees of a request that is stored, or goes on from what is."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from oneapi.dialects.canonical.parts import State
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.openai_responses import compaction
from oneapi.dialects.registry import DIALECTS
from services.edge.inference.carriage import Carriage
from services.edge.inference.endpoints import CONVERSATIONS, ENDPOINTS
from services.edge.inference.exchange import Exchange
from services.edge.inference.remembering import Memory
from services.edge.state.keeper import Keeper
from services.edge.state.past import Past

COUNTS, COMPACTS = b"/v1/responses/input_tokens", b"/v1/responses/compact"
BEFORE = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "before"}]}]
OWN = [{"role": "user", "content": "now"}]


class FakeKeeper:
    """Has one past for everything."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def begin(self, account_id: str, asked: Any, given: Any, seed: str, seal: Any) -> tuple[Past, str]:
        self.asked.append((account_id, asked, given, seed))
        own = given if isinstance(given, list) else OWN
        return Past(BEFORE, OWN, own, set(), [], 0, "thread"), "keeping"


async def begun(client: str, path: bytes = b"", **body: Any) -> tuple[Exchange, bytes, FakeKeeper]:
    raw = msgspec.json.encode({"model": "m", **body})
    exchange = SimpleNamespace(
        endpoint=ENDPOINTS[path] if path else CONVERSATIONS[client],
        dialect=DIALECTS[client],
        body=raw,
        facts=DIALECTS[client].inspect(raw),
        account=SimpleNamespace(id="acc"),
        arrival=SimpleNamespace(request_id="0199-aa"),
        keeping=None,
        compaction=None,
    )
    keeper = FakeKeeper()
    await Memory(cast("Keeper", keeper), Carriage("s", (), 9)).begin(cast("Exchange", exchange))
    return cast("Exchange", exchange), raw, keeper


@pytest.mark.parametrize(
    ("client", "body"),
    [
        ("openai_chat", {"messages": OWN, "store": True}),
        ("anthropic_messages", {"messages": OWN, "max_tokens": 5}),
        ("openai_responses", {"input": "now", "store": False}),
    ],
)
async def test_what_neither_is_stored_nor_goes_on_stays_as_it_is(client: str, body: dict[str, Any]) -> None:
    exchange, raw, keeper = await begun(client, **body)
    assert exchange.body is raw
    assert exchange.keeping is None
    assert keeper.asked == []


async def test_an_upstream_is_told_to_store_nothing() -> None:
    exchange, _, keeper = await begun("openai_responses", input="now", metadata={"a": "b"})
    assert msgspec.json.decode(exchange.body) == {"model": "m", "input": "now", "metadata": {"a": "b"}, "store": False}
    assert exchange.facts.raw == msgspec.json.decode(exchange.body)
    assert exchange.keeping is not None
    assert [(one[0], one[2], one[3]) for one in keeper.asked] == [("acc", "now", "0199aa")]


async def test_the_past_stands_in_the_input_and_counts() -> None:
    body: dict[str, Any] = {"previous_response_id": "resp_1", "input": "now", "tools": [], "store": True}
    exchange, raw, _ = await begun("openai_responses", **body)
    assert msgspec.json.decode(exchange.body) == {"model": "m", "input": [*BEFORE, *OWN], "tools": [], "store": False}
    assert exchange.facts.messages == 2
    assert exchange.facts.prompt_bytes == len(exchange.body) > len(raw)


async def test_what_is_only_counted_is_not_stored() -> None:
    exchange, raw, keeper = await begun("openai_responses", path=COUNTS, input="now")
    assert exchange.body is raw
    assert keeper.asked == []
    exchange, _, _ = await begun("openai_responses", path=COUNTS, input="now", previous_response_id="resp_1")
    assert msgspec.json.decode(exchange.body)["input"] == [*BEFORE, *OWN]
    assert exchange.keeping is None


def sealed(account: str) -> dict[str, Any]:
    token = Carriage("s", (), 9).seal(account).close(State(compaction.TYPE, "", {compaction.SUMMARY: "in short"}))
    return {"type": "compaction", "encrypted_content": token}


@pytest.mark.parametrize("more", [{"store": False}, {"previous_response_id": "resp_1"}])
async def test_a_summary_stands_in_the_input(more: dict[str, Any]) -> None:
    exchange, _, _ = await begun("openai_responses", input=[sealed("acc"), *OWN], **more)
    summary, own = exchange.facts.raw["input"][-2:]
    assert "in short" in summary["content"]
    assert own == OWN[0]
    assert b"encrypted_content" not in exchange.body
    assert msgspec.json.decode(exchange.body) == exchange.facts.raw
    with pytest.raises(GatewayError):
        await begun("openai_responses", input=[sealed("other")], store=False)


async def test_a_compaction_keeps_nothing_and_asks_for_a_summary_of_all() -> None:
    exchange, _, _ = await begun("openai_responses", COMPACTS, input="now", previous_response_id="resp_1", text={})
    assert exchange.keeping is None
    assert exchange.compaction is not None
    given = exchange.facts.raw["input"]
    assert (given[:2], len(given)) == ([*BEFORE, *OWN], 3)
    assert not {"previous_response_id", "text"} & set(exchange.facts.raw)
    with pytest.raises(GatewayError) as refused:
        await begun("openai_responses", COMPACTS, input="now", stream=True)
    assert refused.value.param == "stream"
