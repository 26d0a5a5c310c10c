"""What becomes of a client that takes nothing, and of the evidence of a broken stream."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.edge.inference.attempts import Attempts
from services.edge.inference.exchange import Exchange
from services.edge.inference.interruption import Interruption, Reason
from services.edge.inference.relay import Relay, settle_by_meter


class Client:
    def __init__(self, *, congested: bool) -> None:
        self.congested = congested
        self.gone = False
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def exchange(*, congested: bool = True, disconnect: str = "cancel", takes: bool = False) -> Any:
    sent: list[bytes] = []

    async def send(message: dict[str, Any]) -> None:
        if congested and not takes:
            await asyncio.Event().wait()
        sent.append(message["body"])

    return SimpleNamespace(
        client=Client(congested=congested),
        send=send,
        sent=sent,
        key=SimpleNamespace(disconnect=disconnect),
        interruption=Interruption(),
    )


def relay(write_stall_s: float = 0.01) -> Relay:
    return Relay(cast("Attempts", None), write_stall_s)


@pytest.mark.parametrize(("disconnect", "reason"), [("cancel", Reason.CLIENT_GONE), ("drain", None)])
async def test_a_client_that_takes_nothing_is_cut(disconnect: str, reason: Reason | None) -> None:
    slow = exchange(disconnect=disconnect)
    await relay()._send(slow, b"x", more=True)
    assert slow.client.aborted
    assert slow.interruption.reason is reason


async def test_a_client_that_is_only_slow_gets_everything() -> None:
    for waiting in (exchange(takes=True), exchange(congested=False)):
        await relay(5)._send(waiting, b"x", more=True)
        assert waiting.sent == [b"x"]
        assert not waiting.client.aborted


@pytest.mark.parametrize(
    ("meter", "usage", "evidence"),
    [
        (None, {}, "none"),
        ({"usage": None, "text_bytes": 0, "started": False, "finished": False}, {}, "none"),
        ({"usage": None, "text_bytes": 9, "started": True, "finished": False}, {"input": 10, "output": 3}, "counted"),
        ({"usage": {"output": 7}, "text_bytes": 9, "started": True, "finished": False}, {"output": 7}, "provider"),
        ({"usage": None, "text_bytes": 0, "started": False, "finished": True}, {"input": 10}, "counted"),
        (
            {"usage": None, "text_bytes": 8, "started": True, "finished": False, "input_told": {"cached_input": 4}},
            {"cached_input": 4, "output": 2},
            "counted",
        ),
    ],
)
def test_evidence(meter: dict[str, Any] | None, usage: dict[str, int], evidence: str) -> None:
    finished: list[dict[str, Any]] = []

    def finish(outcome: str, **given: Any) -> None:
        finished.append({"outcome": outcome, **given})

    seen = SimpleNamespace(
        meter=None if meter is None else SimpleNamespace(**{"input_told": {}, **meter}),
        facts=SimpleNamespace(prompt_bytes=40),
        settler=SimpleNamespace(finish=finish),
        channel_id="ch",
        timing=SimpleNamespace(first_byte_ms=3),
    )
    settle_by_meter(cast("Exchange", seen), "upstream_cut", status=200)
    assert [(row["usage"], row["evidence"], row["channel_id"]) for row in finished] == [
        (usage, evidence, "" if evidence == "none" else "ch")
    ]
