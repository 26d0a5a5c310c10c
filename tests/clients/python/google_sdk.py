"""Google's SDK, streamed."""

import asyncio
from typing import Any

from asking import API_KEY, BASE_URL, MODEL, PROMPT, SCENARIO, done, weather
from google import genai
from google.genai import types

TURNS = 2


async def main() -> None:
    client = genai.Client(api_key=API_KEY, http_options=types.HttpOptions(base_url=BASE_URL)).aio
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    declared = types.FunctionDeclaration(
        name="weather", description="The weather in a city.", parameters_json_schema=schema
    )
    tools: list[Any] = [types.Tool(function_declarations=[declared])] if SCENARIO == "tool" else []
    config = types.GenerateContentConfig(system_instruction="Be kind.", tools=tools)
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text=PROMPT)])]
    for _ in range(TURNS):
        stream = await client.models.generate_content_stream(model=MODEL, contents=contents, config=config)
        answers = [answer async for answer in stream]
        usage = answers[-1].usage_metadata
        if usage is None or not usage.prompt_token_count or not usage.candidates_token_count:
            raise SystemExit("no usage")
        parts = [part for answer in answers for part in answer.parts or ()]
        calls = [part.function_call for part in parts if part.function_call is not None]
        if not calls:
            break
        results = [
            types.FunctionResponse(id=call.id, name=call.name, response={"output": weather(**(call.args or {}))})
            for call in calls
        ]
        contents.append(types.Content(role="model", parts=parts))
        contents.append(types.Content(role="user", parts=[types.Part(function_response=result) for result in results]))
    done("".join(part.text or "" for part in parts if not part.thought))


asyncio.run(main())
