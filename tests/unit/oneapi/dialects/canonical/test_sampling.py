"""Seeds and penalties between the formats that have them."""

import pytest

from oneapi.dialects.canonical.losses import Losses
from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.canonical.sampling import take
from tests.unit.oneapi.dialects.dialogues import CHAT, GEMINI, MESSAGES, RESPONSES, lost, request, sent

CHATS = {"seed": 7, "presence_penalty": 0.5, "frequency_penalty": -1}
GOOGLES = {"seed": 7, "presencePenalty": 0.5, "frequencyPenalty": -1}


def test_between_chat_and_google() -> None:
    asked = request(CHAT, **CHATS, top_k=5, logprobs=True, top_logprobs=3)
    config = sent(CHAT, GEMINI, asked)["generationConfig"]
    assert config == {**GOOGLES, "topK": 5, "responseLogprobs": True, "logprobs": 3}
    assert lost(CHAT, GEMINI, asked) == []
    asked = request(GEMINI, generationConfig={**GOOGLES, "topK": 5, "responseLogprobs": True, "logprobs": 3})
    body = sent(GEMINI, CHAT, asked)
    assert {name: body[name] for name in CHATS} == CHATS
    assert (body["logprobs"], body["top_logprobs"]) == (True, 3)
    assert lost(GEMINI, CHAT, asked) == ["top_k"]


@pytest.mark.parametrize("upstream", [RESPONSES, MESSAGES])
def test_formats_without(upstream: str) -> None:
    assert lost(CHAT, upstream, request(CHAT, **CHATS)) == list(CHATS)
    assert lost(CHAT, upstream, request(CHAT, presence_penalty=0, frequency_penalty=0.0)) == []


def test_models_without_penalties() -> None:
    penalties = ["presence_penalty", "frequency_penalty"]
    asked = request(CHAT, **CHATS)
    assert lost(CHAT, GEMINI, asked, profile=Profile(penalties=False)) == penalties
    assert sent(CHAT, GEMINI, asked, profile=Profile(penalties=False))["generationConfig"] == {"seed": 7}
    asked = request(GEMINI, generationConfig=GOOGLES)
    assert lost(GEMINI, CHAT, asked, profile=Profile(sampling=False)) == penalties
    assert lost(CHAT, GEMINI, request(CHAT, presence_penalty=0), profile=Profile(penalties=False)) == []


def test_what_is_out_of_range_or_no_number() -> None:
    losses = Losses()
    names = {"seed": "s", "presence_penalty": "p", "frequency_penalty": "f"}
    given, left = take({"seed": 2**40, "presence_penalty": 3, "x": 1}, names, losses, seeds=(0, 2**31))
    assert (given, left, [str(loss) for loss in losses.found]) == (
        {"p": 2},
        {"seed": 2**40, "x": 1},
        ["presence_penalty"],
    )
    strange = {"seed": 1.5, "presence_penalty": "1", "frequency_penalty": True}
    assert take(strange, names, Losses(), seeds=(0, 9)) == ({}, strange)
