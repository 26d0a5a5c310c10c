"""The tool server's process: `python -m tests.e2e.tool_process PORT RECORD_FILE`."""

import json
import sys
from pathlib import Path

import uvicorn
from mcp.server.mcpserver import MCPServer
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def add(a: int, b: int) -> str:
    """Adds two numbers."""
    return str(a + b)


async def healthz(_request: Request) -> Response:
    return PlainTextResponse("ok")


def recording(app: ASGIApp, record: Path) -> ASGIApp:
    """The app, with each JSON-RPC request's method and headers written down."""

    async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
        async def heard() -> Message:
            message = await receive()
            body = message.get("body")
            if body:
                method = json.loads(body).get("method")
                headers = {name.decode(): value.decode() for name, value in scope["headers"]}
                with record.open("a") as file:
                    print(json.dumps({"method": method, "headers": headers}), file=file)
            return message

        await app(scope, heard if scope["type"] == "http" else receive, send)

    return recorded


def main() -> None:
    server = MCPServer("tools")
    server.add_tool(add)
    server.custom_route("/healthz", methods=["GET"])(healthz)
    app = recording(server.streamable_http_app(stateless_http=True, json_response=True), Path(sys.argv[2]))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
