"""Anthropic's SDK, streamed, with strict validation of all that comes."""

from typing import Any

from anthropic import Anthropic
from asking import API_KEY, BASE_URL, MODEL, PROMPT, SCENARIO, done, weather

TURNS = 2
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

client = Anthropic(base_url=BASE_URL, api_key=API_KEY, max_retries=0, _strict_response_validation=True)
messages: list[Any] = [{"role": "user", "content": PROMPT}]
tools: list[Any] = [{"name": "weather", "description": "The weather in a city.", "input_schema": SCHEMA}]
for _ in range(TURNS):
    with client.messages.stream(
        model=MODEL,
        max_tokens=1_000,
        system="Be kind.",
        messages=messages,
        **({"tools": tools} if SCENARIO == "tool" else {}),
    ) as stream:
        answer = stream.get_final_message()
    if not answer.usage.input_tokens or not answer.usage.output_tokens:
        raise SystemExit("no usage")
    calls = [block for block in answer.content if block.type == "tool_use"]
    if (answer.stop_reason == "tool_use") != bool(calls):
        raise SystemExit(f"ended by {answer.stop_reason}")
    if not calls:
        break
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": weather(**dict(call.input))} for call in calls
    ]
    messages += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results}]
done("".join(block.text for block in answer.content if block.type == "text"))
