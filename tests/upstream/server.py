"""The upstream test server: `python -m tests.upstream.server PORT RECORD_FILE`.

Speaks OpenAI's, Anthropic's, Google's, Cohere's and Bedrock's paths. Each request becomes one JSON line in the record
file when it ends: what was asked (path, model, credential, headers), what was sent (chunks, whether whole), and the
usage that was told. Tests compare the gateway's ledger with that file.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from aiohttp import web

from tests.upstream import bedrock, cohere, tool_calls, wire
from tests.upstream.script import Script, read


class Upstream:
    """One server's state: its record, and how often each failing script was asked."""

    def __init__(self, record: TextIO) -> None:
        self._record = record
        self._asked: dict[str, int] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw)
        path, stream = request.path, streams(request.path, body)
        model = str(request.match_info.get("model") or body.get("model"))
        if path.startswith(wire.GEMINI):
            model, _, verb = request.match_info["call"].rpartition(":")
            path, stream = wire.GEMINI, verb == "streamGenerateContent"
        script = read(model)
        entry: dict[str, Any] = {
            "at": time.time(),
            "path": path,
            "target": request.raw_path,
            "model": model,
            "credential": request.headers.get("authorization")
            or request.headers.get("x-api-key")
            or request.headers.get("x-goog-api-key"),
            "headers": dict(request.headers),
            "body": body,
            "stream": stream,
            "chunks": 0,
            "tokens": 0,
            "whole": False,
            "status": script.status,
        }
        try:
            return await self._play(request, body, script, entry)
        finally:
            print(json.dumps(entry), file=self._record, flush=True)

    async def count(self, request: web.Request) -> web.Response:
        """How many tokens a request has: what the script says of its input."""
        body = await request.json()
        inner = body.get("generateContentRequest", body)
        model = str(inner["model"]).removeprefix("models/")
        script = read(model)
        entry = {"path": request.path, "model": model, "headers": dict(request.headers), "body": body}
        print(json.dumps({**entry, "status": script.status}), file=self._record, flush=True)
        if script.status != 200:
            error = wire.error_body(request.path.removesuffix("/count_tokens"), script.status)
            return web.Response(status=script.status, body=error, content_type="application/json")
        if inner is not body:
            return web.json_response({"totalTokens": script.input})
        told = {"object": "response.input_tokens"} if request.path.endswith("/input_tokens") else {}
        return web.json_response({**told, "input_tokens": script.input})

    async def _play(
        self, request: web.Request, body: dict[str, Any], script: Script, entry: dict[str, Any]
    ) -> web.StreamResponse:
        path, model = str(entry["path"]), str(entry["model"])
        await asyncio.sleep(script.first_byte_ms / 1000)
        self._asked[model] = self._asked.get(model, 0) + 1
        status = 500 if self._asked[model] <= script.fail_first else script.status
        entry["status"] = status
        if status != 200:
            headers = {"retry-after": str(script.retry_after)} if script.retry_after else {}
            if script.html:
                page = "<html><body><h1>Bad gateway</h1> key sk-upstream-secret</body></html>"
                return web.Response(status=status, text=page, content_type="text/html", headers=headers)
            error = error_body(path, status, bad_key=script.bad_key)
            return web.Response(status=status, body=error, content_type="application/json", headers=headers)
        if bedrock.signed_wrong(request.method, request.raw_path, request.headers, await request.read()):
            return web.json_response({"message": "The signature does not match."}, status=403)
        if not entry["stream"]:
            whole = self._whole_body(path, body, model, script)
            entry.update(chunks=1, tokens=script.tokens, whole=True)
            return web.Response(body=whole, content_type="application/json", headers={"x-request-id": "req_upstream1"})
        return await self._stream(request, body, script, entry)

    @staticmethod
    def _whole_body(path: str, body: dict[str, Any], model: str, script: Script) -> bytes:
        if script.tool and (tool := tool_calls.wanted(path, body)):
            return tool_calls.whole(path, model, script, tool)
        if path.endswith("/chat/completions"):
            return wire.chat_body(model, script)
        if path.endswith("/responses"):
            return wire.responses_body(model, script)
        if path.endswith("/messages"):
            return wire.messages_body(model, script)
        if path == wire.GEMINI:
            return wire.gemini_body(model, script)
        if path.endswith(cohere.PATH):
            return cohere.whole(script)
        if path.endswith(bedrock.WHOLE):
            return bedrock.whole(script)
        given = body["input"]
        return wire.embeddings_body(model, script, len(given) if isinstance(given, list) else 1)

    async def _stream(
        self, request: web.Request, body: dict[str, Any], script: Script, entry: dict[str, Any]
    ) -> web.StreamResponse:
        path, model = str(entry["path"]), str(entry["model"])
        if script.tool and (tool := tool_calls.wanted(path, body)):
            chunks = tool_calls.stream(path, model, script, tool)
        elif path.endswith("/chat/completions"):
            wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
            chunks = wire.chat_stream(model, script, wants_usage=wants_usage)
        elif path == wire.GEMINI:
            chunks = wire.gemini_stream(model, script)
        elif path.endswith("/responses"):
            chunks = wire.responses_stream(model, script)
        elif request.path.endswith(cohere.PATH):
            chunks = cohere.stream(script)
        elif request.path.endswith(bedrock.STREAM):
            chunks = bedrock.stream(script)
        else:
            chunks = wire.messages_stream(model, script)
        kind = bedrock.EVENT_STREAM if request.path.endswith(bedrock.STREAM) else "text/event-stream"
        response = web.StreamResponse(headers={"content-type": kind, "x-request-id": "req_upstream1"})
        await response.prepare(request)
        for i, chunk in enumerate(chunks):
            if i == script.cut:
                assert request.transport is not None
                request.transport.abort()
                return response
            if i == script.silent:
                await asyncio.sleep(3600)
            if i == script.error_event:
                await response.write(error_event(path))
                return response
            entry["chunks"] += 1
            entry["tokens"] += wire.TOKEN.encode() in chunk and (b"delta" in chunk or path == wire.GEMINI)
            await response.write(b"data: {not json\n\n" if i == script.malformed else chunk)
            if script.gap_ms:
                await asyncio.sleep(script.gap_ms / 1000)
        entry["whole"] = True
        if script.cut >= len(chunks):
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write_eof()
        return response


def streams(path: str, body: dict[str, Any]) -> bool:
    """Whether a stream is asked for: in the body, or by Bedrock's path."""
    return bool(body.get("stream")) or path.endswith(bedrock.STREAM)


def error_body(path: str, status: int, *, bad_key: int = 0) -> bytes:
    if path.endswith(cohere.PATH):
        return cohere.error_body()
    return bedrock.error_body() if "/model/" in path else wire.error_body(path, status, bad_key=bad_key)


def error_event(path: str) -> bytes:
    if path.endswith(cohere.PATH):
        return cohere.error_event()
    return bedrock.error_event() if path.endswith(bedrock.STREAM) else wire.error_event(path)


async def models(_request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "play", "object": "model"}]})


async def google_models(_request: web.Request) -> web.Response:
    return web.json_response({"models": [{"name": "models/play:tokens=5,cached=4"}]})


def application(record: TextIO) -> web.Application:
    """The server as an aiohttp application."""
    upstream = Upstream(record)
    app = web.Application(client_max_size=64 * 2**20, handler_args={"access_log": None})
    for prefix in ("/v1", "/openai/v1", "/anthropic/v1"):
        for path in ("/chat/completions", "/responses", "/messages", "/embeddings"):
            app.router.add_post(prefix + path, upstream.answer)
    for path in ("/v1/messages/count_tokens", "/v1/responses/input_tokens", "/v1beta/models/{model}:countTokens"):
        app.router.add_post(path, upstream.count)
    app.router.add_post(cohere.PATH, upstream.answer)
    for path in (bedrock.WHOLE, bedrock.STREAM):
        app.router.add_post("/model/{model}" + path, upstream.answer)
    app.router.add_post(wire.GEMINI + "/{call:.+}", upstream.answer)
    app.router.add_get("/v1/models", models)
    app.router.add_get(wire.GEMINI, google_models)
    return app


def main() -> None:
    port, record = int(sys.argv[1]), Path(sys.argv[2])
    with record.open("a") as file:
        web.run_app(application(file), host="127.0.0.1", port=port, print=None, handler_cancellation=True)


if __name__ == "__main__":
    main()
