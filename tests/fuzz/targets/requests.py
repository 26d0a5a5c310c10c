"""What is done with a client's body before and by the built-in model, on bodies in which a few values are others.

It is read, estimated, edited for its upstream and answered; or it is refused, with a GatewayError and nothing else.
"""

import json
import random

import msgspec

from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.conversion import Conversion, Upstream, read_request
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.foreign_state import without_tokens
from oneapi.dialects.links import links
from oneapi.dialects.references import reference
from oneapi.dialects.registry import DIALECTS
from oneapi.dialects.request import RequestFacts
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
GOOGLES = "gemini_generate"
_KEPT = frozenset({"messages", "input", "tools", "contents"})
_RATES = {"input": 1_000, "output": 3_000, "image_input": 5_000, "audio_output": 7_000}


def check(data: bytes) -> None:
    path, body = inference.case(random.Random(data))
    dialect = DIALECTS[_DIALECT_OF.get(path, GOOGLES)]
    told = {"model": "sandbox", "stream": "stream" in path} if dialect.model_in_path else {}
    try:
        facts = dialect.inspect(body, **told)
    except GatewayError as refusal:
        assert refusal.status in {400, 413}
        json.loads(dialect.error_body(refusal, "id"))
        return
    estimated = estimate(facts, _RATES, 4_096)
    assert estimated.reserve_nano >= 0
    sent = dialect.prepare(body, facts, "upstream")
    kept = msgspec.json.decode(sent)
    assert kept.get("model") == (None if dialect.model_in_path else "upstream")
    assert {name: kept[name] for name in facts.raw if name in _KEPT} == {
        name: value for name, value in facts.raw.items() if name in _KEPT
    }
    assert all(isinstance(url, str) for _, url in links(facts.raw))
    assert isinstance(reference(facts.raw), str)
    assert isinstance(without_tokens(facts.raw, Seal(b"secret", "ch/m"))[0], dict)
    if dialect.model_in_path:
        _convert(facts)
        return
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


def _convert(facts: RequestFacts) -> None:
    """The built-in model doesn't speak Google's format: it is asked in another."""
    try:
        asked = read_request(GOOGLES, facts.raw, b"secret")
        conversion = Conversion(asked, Upstream("openai_chat", "sandbox"), secret=b"secret", seed="5eed", created=1)
    except GatewayError as refusal:
        assert refusal.status == 400
        return
    body = msgspec.json.decode(conversion.body)
    if facts.stream:
        stream = conversion.stream()
        said = b"".join(stream.feed(event) for event in answer.stream("openai_chat", body, "a" * 32, 1))
        said += stream.end()
        assert stream.finished
        assert json.loads(said.rstrip().rpartition(b"\n")[2][6:])["candidates"][0]["finishReason"]
    else:
        assert json.loads(conversion.response(answer.whole("openai_chat", body, "a" * 32, 1)).body)["candidates"]


TARGETS = {"requests": Target(SEEDS_OF_CHOICES, check, 4)}
