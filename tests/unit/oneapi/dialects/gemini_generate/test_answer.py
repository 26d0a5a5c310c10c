"""Answers between Gemini's format and the others: ends, blocked prompts, citations, log probabilities."""

import json
from typing import Any

import pytest

from oneapi.dialects.errors import GatewayError
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    GEMINI,
    MESSAGES,
    RESPONSES,
    answered,
    convert,
    lost,
    request,
    sent,
    sse,
    streamed,
)
from tests.unit.oneapi.dialects.gemini_generate.shapes import answer, model, user
from tests.unit.oneapi.dialects.shapes import refused


def test_code_that_ran_at_google() -> None:
    ran: list[dict[str, Any] | str] = [
        {"executableCode": {"code": "x"}},
        {"codeExecutionResult": {"output": "y"}},
        "so",
    ]
    body = request(GEMINI, [user("x"), model(*ran), user("y")])
    assert lost(GEMINI, CHAT, body) == [
        "server_tool_history(executableCode)",
        "server_tool_history(codeExecutionResult)",
    ]
    assert answered(CHAT, GEMINI, answer(*ran))["choices"][0]["message"]["content"] == "so"


@pytest.mark.parametrize(
    ("reason", "chat", "messages"),
    [
        ("STOP", "stop", "end_turn"),
        ("MAX_TOKENS", "length", "max_tokens"),
        ("SAFETY", "content_filter", "refusal"),
        ("RECITATION", "content_filter", "refusal"),
        ("PROHIBITED_CONTENT", "content_filter", "refusal"),
        ("LANGUAGE", "stop", "end_turn"),
    ],
)
def test_reasons_of_an_end(reason: str, chat: str, messages: str) -> None:
    said = answer("x", reason=reason)
    assert answered(CHAT, GEMINI, said)["choices"][0]["finish_reason"] == chat
    assert answered(MESSAGES, GEMINI, said)["stop_reason"] == messages
    events, _ = streamed(MESSAGES, GEMINI, sse([said]))
    assert events[-2][1]["delta"]["stop_reason"] == messages


def test_reasons_for_googles_clients() -> None:
    for stop, reason in (
        ("end_turn", "STOP"),
        ("max_tokens", "MAX_TOKENS"),
        ("refusal", "SAFETY"),
        ("tool_use", "STOP"),
    ):
        told = answered(GEMINI, MESSAGES, {"content": [{"type": "text", "text": "x"}], "stop_reason": stop})
        assert told["candidates"][0]["finishReason"] == reason


def test_blocked_prompts_are_answers() -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "No."}, "usageMetadata": {}}
    [choice] = answered(CHAT, GEMINI, blocked)["choices"]
    assert (choice["finish_reason"], choice["message"]["refusal"]) == ("content_filter", "No.")
    events, converter = streamed(MESSAGES, GEMINI, sse([blocked]))
    assert converter.finished
    assert events[-2][1]["delta"]["stop_reason"] == "refusal"


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
def test_answers_that_failed(reason: str) -> None:
    with pytest.raises(GatewayError) as caught:
        answered(CHAT, GEMINI, answer(reason=reason))
    assert (caught.value.status, caught.value.code) == (502, reason.lower())
    with pytest.raises(GatewayError) as caught:
        answered(CHAT, GEMINI, {"candidates": []})
    assert caught.value.status == 502


def test_citations_count_characters() -> None:
    grounding = {
        "webSearchQueries": ["q", "q", ""],
        "groundingChunks": [{"web": {"uri": "https://x.test", "title": "X"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 4, "endIndex": 8, "text": "this"}, "groundingChunkIndices": [0, 7]},
            {"segment": {"startIndex": 1, "endIndex": 5, "text": "this"}, "groundingChunkIndices": [0]},
        ],
    }
    said = answer("Sée this", groundingMetadata=grounding) | {"usageMetadata": {"promptTokenCount": 1}}
    said["candidates"][0]["groundingMetadata"]["groundingSupports"][0]["segment"]["startIndex"] = 5
    said["candidates"][0]["groundingMetadata"]["groundingSupports"][0]["segment"]["endIndex"] = 9
    message = answered(CHAT, GEMINI, said)["choices"][0]["message"]
    places = [(one["url_citation"]["start_index"], one["url_citation"]["end_index"]) for one in message["annotations"]]
    assert places == [(4, 8), (4, 8)]
    output = answered(RESPONSES, GEMINI, said)["output"]
    assert output[0]["action"] == {"type": "search", "query": "q"}
    assert convert(CHAT, GEMINI).response(json.dumps(said).encode()).usage == {"input": 1, "search": 1}
    events, _ = streamed(CHAT, GEMINI, sse([said]))
    cited = [chunk["choices"][0]["delta"]["annotations"][0] for _, chunk in events if "annotations" in str(chunk)]
    assert [one["url_citation"]["start_index"] for one in cited] == [4, 4]


def test_citations_for_googles_clients() -> None:
    cited = {"type": "url_citation", "url": "https://x.test", "title": "X", "start_index": 4, "end_index": 8}
    text = {"type": "output_text", "text": "Sée this", "annotations": [cited]}
    searched = {"type": "web_search_call", "action": {"type": "search", "query": "q"}}
    told = answered(
        GEMINI,
        RESPONSES,
        {"status": "completed", "output": [searched, {"type": "message", "role": "assistant", "content": [text]}]},
    )
    grounding = told["candidates"][0]["groundingMetadata"]
    assert grounding["webSearchQueries"] == ["q"]
    assert grounding["groundingChunks"] == [{"web": {"uri": "https://x.test", "title": "X"}}]
    [support] = grounding["groundingSupports"]
    assert support == {"segment": {"startIndex": 5, "endIndex": 9, "text": "this"}, "groundingChunkIndices": [0]}


def test_log_probabilities() -> None:
    chosen = {"token": "é", "logProbability": -0.5, "tokenId": 3}
    logprobs = {"chosenCandidates": [chosen], "topCandidates": [{"candidates": [chosen]}]}
    asked = request(CHAT, logprobs=True, top_logprobs=2)
    config = sent(CHAT, GEMINI, asked)["generationConfig"]
    assert config == {"responseLogprobs": True, "logprobs": 2}
    [choice] = answered(CHAT, GEMINI, answer("é", logprobsResult=logprobs), asked)["choices"]
    entry = {"token": "é", "logprob": -0.5, "bytes": [195, 169]}
    assert choice["logprobs"]["content"] == [{**entry, "top_logprobs": [entry]}]
    mine = request(GEMINI, generationConfig={"responseLogprobs": True, "logprobs": 2})
    assert sent(GEMINI, CHAT, mine)["top_logprobs"] == 2
    said = {"choices": [{"message": {"content": "é"}, "finish_reason": "stop", "logprobs": choice["logprobs"]}]}
    told = answered(GEMINI, CHAT, said, mine)["candidates"][0]["logprobsResult"]
    assert told["chosenCandidates"] == [{"token": "é", "logProbability": -0.5}]
    assert refused(GEMINI, MESSAGES, mine).param == "logprobs"


def test_more_than_one_candidate_is_a_loss() -> None:
    conversion = convert(CHAT, GEMINI)
    two = {"candidates": [answer("a")["candidates"][0], answer("b")["candidates"][0]]}
    assert json.loads(conversion.response(json.dumps(two).encode()).body)["choices"][0]["message"]["content"] == "a"
    assert [str(loss) for loss in conversion.losses] == ["choices"]
