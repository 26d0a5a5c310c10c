"""What is done with a client's body before and by the built-in model, on bodies in which a few values are others.

It is read, estimated, edited for its upstream and answered; or it is refused, with a GatewayError and nothing else.
"""

import json
import random

import msgspec

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.registry import DIALECTS
from oneapi.providers.sandbox import answer
from services.edge.inference.delivered import delivered_bytes
from services.edge.money.estimate import estimate
from tests.fuzz import inference
from tests.fuzz.targets.target import SEEDS_OF_CHOICES, Target

_DIALECT_OF = {
    "/v1/chat/completions": "openai_chat",
    "/v1/responses": "openai_responses",
    "/v1/messages": "anthropic_messages",
    "/v1/embeddings": "openai_embeddings",
}
_RATES = {"input": 1_000, "output": 3_000, "image_input": 5_000, "audio_output": 7_000}


def check(data: bytes) -> None:
    path, body = inference.case(random.Random(data))
    dialect = DIALECTS[_DIALECT_OF[path]]
    try:
        facts = dialect.inspect(body)
    except GatewayError as refusal:
        assert refusal.status in {400, 413}
        json.loads(dialect.error_body(refusal, "id"))
        return
    estimated = estimate(facts, _RATES, 4_096)
    assert estimated.reserve_nano >= 0
    sent = dialect.prepare(body, facts, "upstream")
    kept = msgspec.json.decode(sent)
    assert kept["model"] == "upstream"
    assert {name: kept[name] for name in facts.raw if name in {"messages", "input", "tools"}} == {
        name: value for name, value in facts.raw.items() if name in {"messages", "input", "tools"}
    }
    if facts.choices > 100 or facts.model != "sandbox":
        return
    if facts.stream and dialect.meter is not None:
        meter = dialect.meter()
        for event in answer.stream(dialect.name, facts.raw, "a" * 32, 1):
            meter.feed(event)
        meter.end()
        assert meter.finished
        assert meter.error is None
    else:
        whole = answer.whole(dialect.name, facts.raw, "a" * 32, 1)
        assert dialect.read_usage(whole)
        assert delivered_bytes(whole) >= 0


TARGETS = {"requests": Target(SEEDS_OF_CHOICES, check, 4)}
