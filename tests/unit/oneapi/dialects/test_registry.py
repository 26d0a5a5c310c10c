"""Every dialect on recorded traffic: requests, whole answers and streams of real providers and clients.

The traffic is where ONEAPI_RECORDED says; without it these tests are skipped.
"""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oneapi.dialects.meter import StreamMeter
from oneapi.dialects.registry import DIALECTS, Dialect
from oneapi.dialects.usage import Usage

FOLDER = os.environ.get("ONEAPI_RECORDED", "")
ENDPOINTS = {
    "chat/completions": "openai_chat",
    "chat-completions": "openai_chat",
    "responses": "openai_responses",
    "messages": "anthropic_messages",
    "embeddings": "openai_embeddings",
    "enerateContent": "gemini_generate",
}


def interactions() -> Iterator[tuple[Path, str, dict[str, Any]]]:
    for path in sorted(Path(FOLDER).glob("*/*/*/*.json")) if FOLDER else ():
        name = next(
            (name for end, name in ENDPOINTS.items() if path.parts[-3].removesuffix("-stream").endswith(end)), ""
        )
        if name and path.parts[-4] not in {"fixtures", "bedrock", "cohere"}:
            recorded = json.loads(path.read_text())
            if DIALECTS[name].model_in_path and isinstance(recorded["request"], dict):
                model = recorded["path"].partition("models/")[2].partition(":")[0]
                recorded["request"] |= {"model": model, "stream": "stream" in path.parts[-3]}
            yield path, name, recorded


def dialect_of(value: Any) -> str:
    """The dialect of an answer or of a stream's event, "" when it is none of ours."""
    if not isinstance(value, dict):
        return ""
    kind = str(value.get("type"))
    if kind.startswith(("response.", "error")) or value.get("object") == "response":
        return "openai_responses"
    if kind in {"message_start", "ping"} or (kind == "message" and value.get("role") == "assistant"):
        return "anthropic_messages"
    if "candidates" in value:
        return "gemini_generate"
    return "openai_chat" if "choices" in value else ""


def streams() -> Iterator[tuple[str, str, bytes]]:
    for path, name, recorded in interactions():
        if recorded["status"] == 200 and "text" in recorded["response"]:
            yield f"{path.parts[-4]}-{path.stem}", name, recorded["response"]["text"].encode()
    for path in sorted(Path(FOLDER).glob("fixtures/*/*/*.chunks.txt")) if FOLDER else ():
        lines = [line for line in path.read_text().splitlines() if line]
        name = dialect_of(json.loads(lines[0]))
        if name:
            yield path.stem, name, b"".join(b"data: " + line.encode() + b"\n\n" for line in lines)


def answers() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, name, recorded in interactions():
        if recorded["status"] == 200 and isinstance(recorded["response"].get("json"), dict):
            yield f"{path.parts[-4]}-{path.stem}", name, recorded["response"]["json"]
    for path in sorted(Path(FOLDER).glob("fixtures/*/*/*.json")) if FOLDER else ():
        value = json.loads(path.read_text())
        if dialect_of(value):
            yield path.stem, dialect_of(value), value


def requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, name, recorded in interactions():
        if recorded["status"] == 200 and isinstance(recorded["request"], dict):
            yield f"{path.parts[-4]}-{path.stem}", name, recorded["request"]
    for path in sorted(Path(FOLDER).glob("clients/*.json")) if FOLDER else ():
        sent = json.loads(path.read_text())
        for number, one in enumerate(sent if isinstance(sent, list) else [sent]):
            name = next((name for end, name in ENDPOINTS.items() if one["path"].endswith(end)), "")
            # One of the clients sends empty bodies on purpose.
            if name and one["body"]:
                yield f"{path.stem}-{number}", name, one["body"]


def cases(found: Iterator[tuple[str, str, Any]]) -> list[Any]:
    """One case for each recording, or one that is skipped."""
    if not FOLDER:
        return [pytest.param("", None, marks=pytest.mark.skip(reason="no recorded traffic here"))]
    return [pytest.param(name, value, id=f"{name}-{title}") for title, name, value in found]


def told_tokens(name: str, usage: dict[str, Any]) -> int:
    """All tokens, by the provider's own numbers."""
    if name == "gemini_generate":
        return int(usage.get("totalTokenCount") or 0)
    if name != "anthropic_messages":
        return int(usage.get("total_tokens") or 0)
    kinds = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    compactions = [part for part in usage.get("iterations") or () if part["type"] == "compaction"]
    return sum(int(part.get(kind) or 0) for part in (usage, *compactions) for kind in kinds)


def tokens(usage: Usage | None) -> int:
    return sum(count for bucket, count in (usage or {}).items() if bucket != "search")


def fed(name: str, pieces: list[bytes]) -> tuple[StreamMeter, bytes]:
    make = DIALECTS[name].meter
    assert make is not None
    meter = make()
    return meter, b"".join([meter.feed(piece) for piece in pieces]) + meter.end()


def usage_in(whole: bytes) -> dict[str, Any]:
    """The provider's last word on usage, field by field."""
    last: dict[str, Any] = {}
    for line in whole.splitlines():
        if line.startswith(b"data:") and b"[DONE]" not in line:
            value = json.loads(line[5:])
            holders = [value, value.get("response"), value.get("message"), value.get("x_groq")]
            for usage in [
                holder.get("usage", holder.get("usageMetadata")) for holder in holders if isinstance(holder, dict)
            ]:
                last |= {name: count for name, count in (usage or {}).items() if count is not None}
    return last


@pytest.mark.parametrize(("name", "whole"), cases(streams()))
def test_streams(name: str, whole: bytes) -> None:
    at_once, sent = fed(name, [whole])
    generator = random.Random(len(whole))
    cuts = sorted(generator.randrange(len(whole)) for _ in range(20))
    pieces = [whole[i:j] for i, j in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    for other, other_sent in (fed(name, [whole[i : i + 1] for i in range(len(whole))]), fed(name, pieces)):
        assert other_sent == sent
        for fact in ("usage", "text_bytes", "started", "finished", "error"):
            assert getattr(other, fact) == getattr(at_once, fact)
    assert tokens(at_once.usage) == told_tokens(name, usage_in(whole))
    if at_once.error is None:
        assert sent == whole
        assert at_once.started
        assert at_once.finished
    else:
        assert b'"error":{' in whole
        assert whole.startswith(sent)


@pytest.mark.parametrize(("name", "answer"), cases(answers()))
def test_whole_answers(name: str, answer: dict[str, Any]) -> None:
    found = DIALECTS[name].read_usage(json.dumps(answer).encode())
    assert tokens(found) == told_tokens(name, answer.get("usage") or answer.get("usageMetadata") or {})
    assert all(count > 0 for count in (found or {}).values())


@pytest.mark.parametrize(("name", "request_body"), cases(requests()))
def test_requests(name: str, request_body: dict[str, Any]) -> None:
    dialect = DIALECTS[name]
    in_path = {key: request_body[key] for key in ("model", "stream")} if dialect.model_in_path else {}
    body = json.dumps({key: value for key, value in request_body.items() if key not in in_path}).encode()
    facts = dialect.inspect(body, **in_path)
    assert facts.raw == request_body
    assert facts.stream is (request_body.get("stream") is True)
    assert dialect.prepare(body, facts, facts.model, include_usage=False) is body
    prepared = json.loads(dialect.prepare(body, facts, "other"))
    asked = {"stream_options": {**(request_body.get("stream_options") or {}), "include_usage": True}}
    expected = asked if name == "openai_chat" and facts.stream else {}
    assert prepared == (json.loads(body) if in_path else {**request_body, "model": "other", **expected})


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
def test_answers_nested_too_deep_tell_no_usage(dialect: Dialect) -> None:
    body = b'{"usage": {"input_tokens": 1}, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert dialect.read_usage(body) is None
