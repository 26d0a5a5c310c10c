"""Pydantic AI, over each of its models: `pydantic_agent.py chat|responses|messages`."""

import asyncio
import sys

from anthropic import AsyncAnthropic
from asking import API_KEY, BASE_URL, MODEL, PROMPT, SCENARIO, done, weather
from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider


def model() -> Model:
    if sys.argv[1] == "messages":
        client = AsyncAnthropic(base_url=BASE_URL, api_key=API_KEY, max_retries=0)
        return AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=client))
    provider = OpenAIProvider(openai_client=AsyncOpenAI(base_url=f"{BASE_URL}/v1", api_key=API_KEY, max_retries=0))
    kind = OpenAIResponsesModel if sys.argv[1] == "responses" else OpenAIChatModel
    return kind(MODEL, provider=provider)


async def main() -> None:
    agent = Agent(model(), instructions="Be kind.", tools=[weather] if SCENARIO == "tool" else [])
    async with agent.run_stream(PROMPT) as running:
        text = await running.get_output()
    done(text)


asyncio.run(main())
