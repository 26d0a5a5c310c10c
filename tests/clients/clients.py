"""The clients: how each is started to do one scenario in one cell, and what shows that it used its tool."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.clients.installation import HERE, node, program, python
from tests.upstream.tool_calls import RAN

RESULT = "18 degrees and rain"
TEXT, TOOL = "text", "tool"
SCENARIOS = (TEXT, TOOL)


@dataclass(frozen=True)
class Cell:
    """One client, one upstream, one scenario: where to ask, and a folder of its own."""

    url: str
    key: str
    model: str
    scenario: str
    folder: Path


@dataclass(frozen=True)
class Start:
    """A program to run, with what it gets beside an environment of its own."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Client:
    """`result` is what its tool brings; `used` is what its output says when the tool ran, where that shows."""

    name: str
    start: Callable[[Cell], Start]
    result: str = RESULT
    used: str = ""


def environment(cell: Cell, start: Start) -> dict[str, str]:
    """What a client sees: nothing of this machine's user, and no other address than the gateway's."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(cell.folder),
        "TMPDIR": str(cell.folder),
        "BASE_URL": cell.url,
        "API_KEY": cell.key,
        "MODEL": cell.model,
        "SCENARIO": cell.scenario,
        **start.environment,
    }


def _sdk(script: str) -> Callable[[Cell], Start]:
    def start(cell: Cell) -> Start:
        del cell
        folder = node()
        return Start([str(program(folder, "node")), str(folder / script)])

    return start


def _agent(script: str, *arguments: str) -> Callable[[Cell], Start]:
    def start(cell: Cell) -> Start:
        del cell
        return Start([str(python()), str(HERE / "python" / script), *arguments])

    return start


def _claude_code(cell: Cell) -> Start:
    prompt = "Please call Bash: which number is it?" if cell.scenario == TOOL else "hi"
    command = [str(program(node(), "claude")), "-p", prompt, "--output-format", "stream-json", "--verbose"]
    settings = {
        "ANTHROPIC_BASE_URL": cell.url,
        "ANTHROPIC_AUTH_TOKEN": cell.key,
        "ANTHROPIC_MODEL": cell.model,
        "ANTHROPIC_SMALL_FAST_MODEL": cell.model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": cell.model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    return Start([*command, "--allowedTools", "Bash"], settings)


def _codex(cell: Cell) -> Start:
    home = cell.folder / ".codex"
    home.mkdir(exist_ok=True)
    provider = {"name": "gateway", "base_url": f"{cell.url}/v1", "env_key": "API_KEY", "wire_api": "responses"}
    lines = [
        f"model = {json.dumps(cell.model)}",
        'model_provider = "gateway"',
        'approval_policy = "never"',
        'sandbox_mode = "danger-full-access"',
        "check_for_update_on_startup = false",
        "[analytics]",
        "enabled = false",
        "[model_providers.gateway]",
        *(f"{name} = {json.dumps(value)}" for name, value in provider.items()),
        "request_max_retries = 0",
        "stream_max_retries = 0",
    ]
    (home / "config.toml").write_text("\n".join(lines) + "\n")
    prompt = "Please call exec_command: which number is it?" if cell.scenario == TOOL else "hi"
    command = [str(program(node(), "codex")), "exec", "--json", "--skip-git-repo-check", prompt]
    return Start(command, {"CODEX_HOME": str(home)})


CLIENTS = (
    Client("openai (Python), Chat Completions", _agent("openai_sdk.py", "chat")),
    Client("openai (Python), Responses", _agent("openai_sdk.py", "responses")),
    Client("anthropic (Python)", _agent("anthropic_sdk.py")),
    Client("openai (Node), Chat Completions", _sdk("openai_chat.mjs")),
    Client("openai (Node), Responses", _sdk("openai_responses.mjs")),
    Client("@anthropic-ai/sdk (Node)", _sdk("anthropic_messages.mjs")),
    Client("@google/genai (Node)", _sdk("gemini_generate.mjs")),
    Client("google-genai", _agent("google_sdk.py")),
    Client("openai-agents, Responses", _agent("agents_sdk.py", "responses")),
    Client("openai-agents, Chat Completions", _agent("agents_sdk.py", "chat")),
    Client("pydantic-ai, Responses", _agent("pydantic_agent.py", "responses")),
    Client("pydantic-ai, Chat Completions", _agent("pydantic_agent.py", "chat")),
    Client("pydantic-ai, Messages", _agent("pydantic_agent.py", "messages")),
    Client("Claude Code", _claude_code, RAN, '"tool_result"'),
    Client("Codex", _codex, RAN, '"command_execution"'),
)
