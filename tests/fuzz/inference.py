"""Bodies for the inference endpoints: valid ones, with values and bytes changed at random, to the built-in model.

Whatever is asked, the answer is whole and no failure of the gateway's.
"""

import http.client
import json
import random
import re
import threading
from collections.abc import Iterator
from typing import Any

from tests.fuzz.mutation import mutated, mutated_value
from tests.fuzz.report import Report

LIMIT_S = 30.0
WORKERS = 4
_TOOL = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}
_FAILED = re.compile(rb'^(?:data: \{"error"|event: (?:error|response\.failed)$)', re.MULTILINE)
_IMAGE = "data:image/png;base64,iVBORw0KGgo="
_CONTENTS = {
    "contents": [
        {"role": "user", "parts": [{"text": "hi"}, {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
                                   {"file_data": {"file_uri": "https://a.example/b.png", "mime_type": "image/png"}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "b2ExLUFB"}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": 1}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "s"}]},
    "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": _TOOL["parameters"]}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generation_config": {"max_output_tokens": 20, "stopSequences": ["x"], "responseModalities": ["TEXT"],
                          "thinkingConfig": {"thinkingBudget": 0}},
}  # fmt: skip
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("/v1/chat/completions", {"model": "sandbox", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 20}),
    (
        "/v1/chat/completions",
        {
            "model": "sandbox", "stream": True, "stream_options": {"include_usage": True}, "n": 2, "temperature": 0.5,
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": [{"type": "text", "text": "é"},
                                             {"type": "image_url", "image_url": {"url": _IMAGE}}]},
                {"role": "assistant", "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c", "content": "1"},
            ],
            "tools": [{"type": "function", "function": _TOOL}], "tool_choice": "required",
        },
    ),
    (
        "/v1/chat/completions",
        {
            "model": "sandbox", "messages": [{"role": "user", "content": "hi"}], "max_completion_tokens": 9,
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {
                "type": "object", "properties": {"a": {"type": "array", "items": {"enum": [1]}}}, "required": ["a"]}}},
        },
    ),
    ("/v1/responses", {"model": "sandbox", "input": "hi", "max_output_tokens": 20, "instructions": "s"}),
    (
        "/v1/responses",
        {
            "model": "sandbox", "stream": True, "store": False,
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                      {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                      {"type": "function_call_output", "call_id": "c", "output": "1"}],
            "tools": [{"type": "function", **_TOOL}], "text": {"format": {"type": "json_object"}},
        },
    ),
    ("/v1/messages", {"model": "sandbox", "max_tokens": 20, "messages": [{"role": "user", "content": "hi"}]}),
    (
        "/v1/messages",
        {
            "model": "sandbox", "max_tokens": 20, "stream": True, "system": [{"type": "text", "text": "s"}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]},
                         {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
                         {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "1"}]}],
            "tools": [{"name": "f", "input_schema": _TOOL["parameters"]}], "tool_choice": {"type": "any"},
        },
    ),
    ("/v1/embeddings", {"model": "sandbox", "input": ["a", "b"], "dimensions": 8, "encoding_format": "base64"}),
    ("/v1beta/models/sandbox:generateContent", {"contents": [{"parts": [{"text": "hi"}]}],
                                                "generationConfig": {"maxOutputTokens": 20}}),
    *((f"/v1beta/models/sandbox:streamGenerateContent{framing}", _CONTENTS) for framing in ("", "?alt=sse")),
]  # fmt: skip


def case(choose: random.Random) -> tuple[str, bytes]:
    """An address and a body."""
    path, body = choose.choice(BODIES)
    value = mutated_value(body, choose)
    if isinstance(value, dict) and choose.random() < 0.9:
        # Without the model nothing else of the body is looked at.
        value["model"] = "sandbox"
    content = json.dumps(value, ensure_ascii=choose.random() < 0.5).encode("utf-8", "surrogatepass")
    if choose.random() < 0.3:
        content = mutated(content, choose, [json.dumps(other).encode() for _, other in BODIES])
    return path, content


def problem(status: int, kind: str, answer: bytes) -> str:
    """What is wrong with this answer; empty when nothing is."""
    if status >= 500 and status != 503:
        return f"status {status}: {answer[:200]!r}"
    if kind.startswith("text/event-stream"):
        return f"a broken stream: {answer[-200:]!r}" if _FAILED.search(answer) or answer[-2:] != b"\n\n" else ""
    try:
        value = json.loads(answer)
    except ValueError:
        return f"status {status} with a body that is not JSON: {answer[:200]!r}"
    return "" if status == 200 or isinstance(value.get("error"), dict) else f"no error in {answer[:200]!r}"


def _work(port: int, key: str, numbers: Iterator[int], choose: random.Random, report: Report) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "anthropic-version": "2023-06-01"}
    for _ in numbers:
        path, content = case(choose)
        try:
            connection.request("POST", path, content, headers)
            response = connection.getresponse()
            answer = response.read()
            kind = response.getheader("content-type", "")
            status, why = response.status, problem(response.status, kind, answer)
        except (OSError, http.client.HTTPException) as failure:
            connection.close()
            status, why = 0, f"no answer: {failure!r}"
        report.saw("inference", status)
        if why:
            report.keep("inference", f"POST {path}\n\n".encode() + content, why)
    connection.close()


def run(port: int, key: str, cases: int, seed: int, report: Report) -> None:
    threads = [
        threading.Thread(
            target=_work,
            args=(port, key, iter(range(number, cases, WORKERS)), random.Random(f"{seed} {number}"), report),
        )
        for number in range(WORKERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
