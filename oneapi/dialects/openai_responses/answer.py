"""A whole response, both ways. An answer of this same format is repeated as it came."""

from typing import Any

from oneapi.dialects.canonical.context import Answering
from oneapi.dialects.canonical.parts import Opaque, Reasoning, Refusal, Text, ToolCall
from oneapi.dialects.canonical.reading import member, objects, string
from oneapi.dialects.canonical.responses import Choice, Response, Stop, StopReason, normal_stop
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.openai_responses import output_items
from oneapi.dialects.openai_responses.conversation_items import decode_item, repeat_item
from oneapi.dialects.openai_responses.parts import NAME
from oneapi.dialects.openai_responses.response_object import begun, ended
from oneapi.dialects.openai_responses.usage import buckets
from oneapi.dialects.usage import count, part

_INCOMPLETE: dict[str, StopReason] = {"max_output_tokens": "length", "content_filter": "content_filter"}


def decode_response(raw: dict[str, Any]) -> Response:
    """Raises GatewayError for a response that failed; else tolerant."""
    error = raw.get("error")
    if raw.get("status") == "failed" or (isinstance(error, dict) and error.get("message")):
        message = string(member(error, "message")) or "The response failed."
        raise GatewayError(502, "upstream", string(member(error, "code")) or "upstream_error", message)
    rest = dict(raw)
    output = rest.pop("output", None)
    messages = [decode_item(item, None) for item in objects(output)]
    choice = Choice(messages=messages, stop=Stop())
    called = any(isinstance(found, ToolCall) for found in choice.parts)
    choice.stop = normal_stop(decode_stop(raw), called=called)
    usage, tier = raw.get("usage"), raw.get("service_tier")
    found = buckets(usage) if isinstance(usage, dict) else {}
    searches = count(part(part(raw, "tool_usage"), "web_search"), "num_requests")
    if searches:
        found["search"] = searches
    return Response(
        dialect=NAME,
        id=string(raw.get("id")),
        model=string(raw.get("model")),
        choices=[choice],
        usage=found or None,
        service_tier=tier if isinstance(tier, str) else None,
        rest=rest,
    )


def decode_stop(response: dict[str, Any]) -> Stop:
    """Why it ended, by its status."""
    if response.get("status") != "incomplete":
        return Stop(reason="end")
    reason = member(response.get("incomplete_details"), "reason")
    return Stop(reason=_INCOMPLETE.get(reason, "other") if isinstance(reason, str) else "other")


def encode_response(response: Response, answering: Answering) -> dict[str, Any]:
    """The response; of another format's answer the first choice."""
    if response.dialect == NAME:
        return {**response.rest, "output": [repeat_item(message) for message in response.choices[0].messages]}
    if len(response.choices) > 1:
        answering.losses.add("choices")
    choice = response.choices[0] if response.choices else Choice(stop=Stop(reason="other"))
    output = _output(choice, answering)
    return ended(begun(answering), answering, choice.stop, output, response.usage, response.service_tier)


def _output(choice: Choice, answering: Answering) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    said: list[dict[str, Any]] = []
    status = "incomplete" if choice.stop.cut else "completed"

    def speak(state: str) -> None:
        if said:
            items.append(output_items.message(answering.part_id("msg_"), list(said), state))
            said.clear()

    for found in choice.parts:
        match found:
            case Text():
                if found.text:
                    said.append(output_items.text(found.text, _annotations(found, answering), found.logprobs))
            case Refusal():
                said.append(output_items.refusal(found.text))
            case Reasoning() if found.texts or (found.state is not None and found.state.value):
                speak("completed")
                item_id = answering.part_id("rs_")
                items.append(output_items.reasoning(item_id, found.texts, found.state, answering))
            case ToolCall():
                speak("completed")
                items.append(_call(found, answering))
            case Opaque() if found.search is not None:
                speak("completed")
                items.append(output_items.web_search(answering.part_id("ws_"), found.search, "completed"))
            case _:
                pass
    speak(status)
    return items


def _call(found: ToolCall, answering: Answering) -> dict[str, Any]:
    whole = found.custom or not found.truncated
    arguments = found.arguments or ("{}" if whole and not found.custom else "")
    prefix = "ctc_" if found.custom else "fc_"
    named = ToolCall(
        id=output_items.call_id(found, answering), name=found.name, custom=found.custom, namespace=found.namespace
    )
    return output_items.call(
        answering.part_id(prefix), named, arguments, "incomplete" if found.truncated else "completed"
    )


def _annotations(found: Text, answering: Answering) -> list[dict[str, Any]]:
    annotations = [output_items.annotation(citation, len(found.text)) for citation in found.citations]
    if None in annotations:
        answering.losses.add("annotations")
    return [annotation for annotation in annotations if annotation is not None]
