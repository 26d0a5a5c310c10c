"""A Streamable HTTP tool server of its own process, and a client that reaches its tools through the gateway."""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx2
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.gateway import ROOT, eventually
from tests.ports import free_port


class ToolServer:
    """Offers `add(a, b)` at /mcp, and keeps the headers of each request."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        self._record = Path(tempfile.mkdtemp()) / "tools.jsonl"
        self._record.touch()
        arguments = [sys.executable, "-m", "tests.e2e.tool_process", str(self.port), str(self._record)]
        self._process = subprocess.Popen(arguments, cwd=ROOT)
        eventually(self._answers, 30)

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{self.port}/healthz").status_code == 200
        except httpx2.TransportError:
            return False

    def trace_ids(self) -> set[str]:
        """Trace ids of the tool calls that carried one."""
        rows = [json.loads(line) for line in self._record.read_text().splitlines()]
        calls = [row for row in rows if row["method"] == "tools/call"]
        return {row["headers"]["traceparent"].split("-")[1] for row in calls if "traceparent" in row["headers"]}

    @staticmethod
    async def call_through(url: str, headers: dict[str, str], tool: str, arguments: dict[str, Any]) -> str:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as client,
            streamable_http_client(f"{url}/mcp", http_client=client) as streams,
            ClientSession(streams[0], streams[1]) as session,
        ):
            await session.initialize()
            result = await session.call_tool(tool, arguments)
            content = result.content[0]
            assert content.type == "text"
            return content.text

    @staticmethod
    def listed_through(url: str, key: str) -> set[str]:
        """Names of the tools that the gateway lists for a key."""

        async def listed() -> set[str]:
            headers = {"authorization": f"Bearer {key}"}
            async with (
                httpx2.AsyncClient(headers=headers, timeout=30) as client,
                streamable_http_client(f"{url}/mcp", http_client=client) as streams,
                ClientSession(streams[0], streams[1]) as session,
            ):
                await session.initialize()
                return {tool.name for tool in (await session.list_tools()).tools}

        with asyncio.Runner() as runner:
            return runner.run(listed())

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
