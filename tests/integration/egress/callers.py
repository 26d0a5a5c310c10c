"""The three that call configured upstreams, each asked in the same way: what came of it, in a word or a sentence."""

import asyncio
from abc import ABC, abstractmethod
from typing import Any

from mcp_types import Tool

from oneapi.catalog.types import Channel, McpServer
from oneapi.dialects.openai_chat.request import inspect, prepare
from oneapi.dialects.openai_chat.stream import ChatMeter
from oneapi.runtime.egress.dial import Dialer
from oneapi.runtime.sealing import Sealer
from services.admin.upstreams.probe import probe
from services.edge.upstream.caller import Call, HttpCaller
from services.edge.upstream.failures import UpstreamFailure, from_status
from services.edge.upstream.http1_pool import Pool
from services.edge.upstream.target import Targets
from services.mcp.upstream import failures as mcp_failures
from services.mcp.upstream.client import ToolServer

SEALER = Sealer("k" * 40)
OK = "ok"
BODY = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
TOOL = Tool(name="t", input_schema={"type": "object"})


class Asking(ABC):
    """One of the three. `headers` are configured ones; `name` is what is asked for: a model, or a tool."""

    refused_tls: str
    refused_redirect: str
    refused_address: str
    refused_header: str
    most_bytes: int
    """What of an answer may be in memory at a time, at most."""

    def __init__(self, dialer: Dialer) -> None:
        self.dialer = dialer

    async def ask(self, url: str, *, name: str = "m", headers: dict[str, str] | None = None) -> str:
        async with asyncio.timeout(60):
            return await self._ask(url, name, headers or {})

    @abstractmethod
    async def _ask(self, url: str, name: str, headers: dict[str, str]) -> str: ...


class Edge(Asking):
    refused_tls = "upstream_tls"
    refused_redirect = "redirect_refused"
    refused_address = "upstream_unreachable"
    refused_header = "upstream_error"
    most_bytes = 80 * 2**20

    async def _ask(self, url: str, name: str, headers: dict[str, str]) -> str:
        targets = Targets(SEALER, allow_private=self.dialer.allow_private)
        caller = HttpCaller(Pool(self.dialer), targets)
        sealed = {key: SEALER.seal(value, bound_to=f"channel/ch_1/headers/{key}") for key, value in headers.items()}
        channel = Channel(
            id="ch_1",
            name="c",
            provider="openai-compatible",
            base_url=url,
            models=("m",),
            api_key_sealed=SEALER.seal("sk-ours", bound_to="channel/ch_1/api_key"),
            headers_sealed=sealed,
        )
        body = prepare(BODY, inspect(BODY), name)
        try:
            answer = await caller.call(targets.find(channel), Call("openai_chat", name, body, False, (), "", "r"))
            if not 200 <= answer.status < 300:
                raise from_status(answer.status, 0.0, None)
            if answer.content_type.startswith("text/event-stream"):
                return await self._stream(answer)
            await answer.read_whole()
        except UpstreamFailure as failure:
            return failure.error.code
        finally:
            caller.close()
        return OK

    @staticmethod
    async def _stream(answer: Any) -> str:
        meter = ChatMeter(forward_usage=True)
        while meter.error is None and not meter.finished:
            data = await answer.read()
            meter.feed(data) if data else meter.end()
        answer.close()
        return OK if meter.error is None else meter.error[0]


class Mcp(Asking):
    refused_tls = f"{mcp_failures.UNREACHABLE} tls"
    refused_redirect = f"{mcp_failures.NOT_ALLOWED} redirect"
    refused_address = f"{mcp_failures.NOT_ALLOWED} address"
    refused_header = f"{mcp_failures.CREDENTIAL_REFUSED} headers"
    most_bytes = 24 * 2**20

    async def _ask(self, url: str, name: str, headers: dict[str, str]) -> str:
        sealed = {key: SEALER.seal(value, bound_to=f"mcp_server/s_1/headers/{key}") for key, value in headers.items()}
        auth = SEALER.seal("sk-ours", bound_to="mcp_server/s_1/auth")
        configured = McpServer(id="s_1", name="s", url=url, auth_sealed=auth, headers_sealed=sealed)
        server = ToolServer(configured, SEALER, self.dialer, 20.0)
        try:
            await server.call_tool(TOOL.model_copy(update={"name": name}), {}, traceparent="", limit_s=20.0)
        except mcp_failures.UpstreamFailure as failure:
            return f"{failure.code} {failure.kind}"
        finally:
            await server.close()
        return OK


class Probe(Asking):
    refused_tls = "certificate"
    refused_redirect = "The upstream answers with a redirect, which is never followed."
    refused_address = "The address is refused"
    refused_header = "The channel's headers can't be sent."
    most_bytes = 24 * 2**20

    async def _ask(self, url: str, name: str, headers: dict[str, str]) -> str:
        channel = Channel(id="c", name="c", provider="openai-compatible", models=(name,), base_url=url)
        result = await probe(channel, "sk-ours", headers, self.dialer)
        return OK if result.ok else result.detail


ALL: tuple[type[Asking], ...] = (Edge, Mcp, Probe)
