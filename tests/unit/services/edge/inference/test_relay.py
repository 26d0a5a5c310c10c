"""What becomes of the evidence of a broken stream."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.edge.inference.exchange import Exchange
from services.edge.inference.relay import settle_by_meter


@pytest.mark.parametrize(
    ("meter", "usage", "evidence"),
    [
        (None, {}, "none"),
        ({"usage": None, "text_bytes": 0, "started": False, "finished": False}, {}, "none"),
        ({"usage": None, "text_bytes": 9, "started": True, "finished": False}, {"input": 10, "output": 3}, "counted"),
        ({"usage": {"output": 7}, "text_bytes": 9, "started": True, "finished": False}, {"output": 7}, "provider"),
        # Told before there was output.
        (
            {"usage": {"input": 7}, "text_bytes": 9, "started": True, "finished": False},
            {"input": 7, "output": 3},
            "counted",
        ),
        ({"usage": {"input": 7}, "text_bytes": 0, "started": True, "finished": False}, {"input": 7}, "provider"),
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
        losses=["seed"],
        timing=SimpleNamespace(first_byte_ms=3),
    )
    settle_by_meter(cast("Exchange", seen), "upstream_cut", status=200)
    assert [(row["usage"], row["evidence"], row["channel_id"]) for row in finished] == [
        (usage, evidence, "" if evidence == "none" else "ch")
    ]
    assert finished[0]["losses"] == ["seed"]
