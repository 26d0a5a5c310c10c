"""Output items of a response, made of what another format's answer says. Streams and whole answers have the same."""

from typing import Any

from oneapi.dialects.canonical.context import Answering
from oneapi.dialects.canonical.ids import legal_id
from oneapi.dialects.canonical.parts import Citation, State, ToolCall
from oneapi.dialects.openai_responses.parts import NAME


def message(item_id: str, content: list[dict[str, Any]], status: str) -> dict[str, Any]:
    return {"id": item_id, "type": "message", "status": status, "role": "assistant", "content": content}


def text(said: str, annotations: list[dict[str, Any]], logprobs: list[Any]) -> dict[str, Any]:
    return {"type": "output_text", "text": said, "annotations": annotations, "logprobs": logprobs}


def refusal(said: str) -> dict[str, Any]:
    return {"type": "refusal", "refusal": said}


def reasoning(item_id: str, texts: list[str], state: State | None, answering: Answering) -> dict[str, Any]:
    """What the other provider wants back is sealed in the ciphertext's place."""
    value: dict[str, Any] = {
        "id": item_id,
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": told} for told in texts],
    }
    if state is not None and state.dialect == NAME:
        value["encrypted_content"] = state.value.get("encrypted_content")
    elif state is not None:
        value["encrypted_content"] = answering.seal.close(state)
    return value


def call(item_id: str, part: ToolCall, arguments: str, status: str) -> dict[str, Any]:
    value: dict[str, Any] = {"id": item_id, "type": "function_call", "status": status}
    if part.custom:
        value["type"] = "custom_tool_call"
    value |= {"call_id": part.id, "name": part.name, "input" if part.custom else "arguments": arguments}
    return value | ({"namespace": part.namespace} if part.namespace else {})


def call_id(part: ToolCall, answering: Answering) -> str:
    return legal_id(part.id) or answering.part_id("call_")


def web_search(item_id: str, query: str, status: str) -> dict[str, Any]:
    action = {"type": "search", "query": query}
    return {"id": item_id, "type": "web_search_call", "status": status, "action": action}


def annotation(citation: Citation, length: int) -> dict[str, Any] | None:
    """A citation of a page; None for one that only its own format can point to."""
    if not citation.url:
        return None
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title,
        "start_index": citation.start,
        "end_index": citation.end or length,
    }
