"""OpenAI's SDK, streamed, with strict validation of all that comes: `openai_sdk.py responses|chat`."""

import json
import sys
from typing import Any

from asking import API_KEY, BASE_URL, MODEL, PROMPT, SCENARIO, done, weather
from openai import OpenAI

TURNS = 2
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTION = {"name": "weather", "description": "The weather in a city.", "parameters": SCHEMA, "strict": True}


def chat(client: OpenAI) -> str:
    messages: list[Any] = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": PROMPT}]
    tools: dict[str, Any] = {"tools": [{"type": "function", "function": FUNCTION}]} if SCENARIO == "tool" else {}
    for _ in range(TURNS):
        with client.chat.completions.stream(
            model=MODEL, messages=messages, stream_options={"include_usage": True}, **tools
        ) as stream:
            answer = stream.get_final_completion()
        if answer.usage is None or not answer.usage.prompt_tokens or not answer.usage.completion_tokens:
            raise SystemExit("no usage")
        message = answer.choices[0].message
        if not message.tool_calls:
            break
        messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": weather(**json.loads(call.function.arguments))}
            for call in message.tool_calls
        ]
    return message.content or ""


def responses(client: OpenAI) -> str:
    given: list[Any] = [{"role": "user", "content": PROMPT}]
    tools: dict[str, Any] = {"tools": [{"type": "function", **FUNCTION}]} if SCENARIO == "tool" else {}
    previous: dict[str, Any] = {}
    for _ in range(TURNS):
        with client.responses.stream(model=MODEL, instructions="Be kind.", input=given, **tools, **previous) as stream:
            answer = stream.get_final_response()
        if answer.usage is None or not answer.usage.input_tokens or not answer.usage.output_tokens:
            raise SystemExit("no usage")
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            break
        previous = {"previous_response_id": answer.id}
        given = [
            {"type": "function_call_output", "call_id": call.call_id, "output": weather(**json.loads(call.arguments))}
            for call in calls
        ]
    return answer.output_text


strict = OpenAI(base_url=f"{BASE_URL}/v1", api_key=API_KEY, max_retries=0, _strict_response_validation=True)
done((responses if sys.argv[1] == "responses" else chat)(strict))
