"""Every decoder of conversations: requests, whole answers and streams of each format, with a few values changed.

A request is refused with 400 or becomes one of another format; an answer is refused with 502 or becomes the client's; a
stream never raises, and gives the same however its bytes were cut.
"""

import functools
import json
import random
from typing import Any

from oneapi.dialects.codec import CODECS
from oneapi.dialects.conversion import Conversion, Upstream, read_request
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.upstreams import UPSTREAMS
from tests.fuzz.mutation import mutated_value
from tests.fuzz.targets.target import SEEDS_OF_CHOICES, Target, pieces
from tests.unit.oneapi.dialects.damage import RICH
from tests.unit.oneapi.dialects.dialogues import request
from tests.unit.oneapi.dialects.test_codec import speech

_SECRET = b"secret"
_speech = functools.cache(speech)


def _conversion(client: str, upstream: str, body: dict[str, Any]) -> Conversion:
    asked = read_request(client, body, _SECRET)
    return Conversion(asked, Upstream(upstream, "m", "ch/m"), secret=_SECRET, seed="5eed", created=1)


def check_requests(client: str, data: bytes) -> None:
    choose = random.Random(data)
    body = mutated_value(RICH[client], choose)
    if not isinstance(body, dict):
        return
    upstream = choose.choice([name for name in UPSTREAMS if name != client])
    try:
        converted = _conversion(client, upstream, body)
    except GatewayError as refusal:
        assert refusal.status == 400, refusal
        return
    assert isinstance(json.loads(converted.body), dict)


def check_answers(upstream: str, data: bytes) -> None:
    choose = random.Random(data)
    whole, events = _speech(upstream)
    client = choose.choice([name for name in CODECS if name != upstream])
    answer = json.dumps(mutated_value(whole, choose)).encode()
    try:
        converted = _conversion(client, upstream, request(client)).response(answer)
    except GatewayError as refusal:
        assert refusal.status == 502, refusal
    else:
        assert isinstance(json.loads(converted.body), dict)
    chosen = [event if event == "[DONE]" else mutated_value(event, choose) for event in events]
    lines = [event if event == "[DONE]" else json.dumps(event) for event in chosen]
    stream = "".join(f"data: {line}\n\n" for line in lines).encode()
    straight = _conversion(client, upstream, request(client)).stream()
    sent = straight.feed(stream) + straight.end()
    cut = _conversion(client, upstream, request(client)).stream()
    assert sent == b"".join([cut.feed(piece) for piece in pieces(stream, data)]) + cut.end()
    assert (straight.usage, straight.finished, straight.error) == (cut.usage, cut.finished, cut.error)


TARGETS = {
    **{f"{name} requests": Target(SEEDS_OF_CHOICES, functools.partial(check_requests, name)) for name in CODECS},
    **{f"{name} answers": Target(SEEDS_OF_CHOICES, functools.partial(check_answers, name)) for name in CODECS},
}
