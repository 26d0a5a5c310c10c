"""The OpenAI Agents SDK, over Responses or Chat Completions: `agents_sdk.py responses|chat`."""

import asyncio
import sys

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from asking import API_KEY, BASE_URL, MODEL, PROMPT, SCENARIO, done, weather
from openai import AsyncOpenAI


async def main() -> None:
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=f"{BASE_URL}/v1", api_key=API_KEY, max_retries=0)
    kind = OpenAIResponsesModel if sys.argv[1] == "responses" else OpenAIChatCompletionsModel
    tools = [function_tool(weather)] if SCENARIO == "tool" else []
    agent = Agent("tester", instructions="Be kind.", model=kind(MODEL, client), tools=tools)
    running = Runner.run_streamed(agent, PROMPT)
    async for _ in running.stream_events():
        pass
    done(str(running.final_output))


asyncio.run(main())
