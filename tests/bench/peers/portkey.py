"""Portkey's open-source gateway: one Node process that is told the provider by headers.

It keeps no keys and no money. With the newest `hono` that it allows every stream ends in "TypeError: immutable", hence
the overrides in `portkey/package.json`.
"""

import json
from pathlib import Path

from tests.bench.peers.peer import Peer, Process, install, launch
from tests.bench.programs import Target
from tests.ports import free_port

HERE = Path(__file__).parent / "portkey"
FILES = [HERE / "package.json", HERE / "package-lock.json", HERE / ".npmrc"]
PACKAGE = "@portkey-ai/gateway"


def start(mock: int, folder: Path) -> tuple[Process, Target]:
    """The gateway; each request says that its provider is the mock."""
    place = install("portkey", FILES, [["node", "--version"], ["npm", "ci", "--omit=dev"]])
    port = free_port()
    program = place / "node_modules" / PACKAGE / "build/start-server.js"
    headers = ("x-portkey-provider: openai", f"x-portkey-custom-host: http://127.0.0.1:{mock}/v1")
    target = Target("portkey", port, 0, "mock", headers)
    command = ["node", str(program), f"--port={port}", "--headless"]
    return launch(command, {"NODE_ENV": "production"}, target, folder / "portkey.log")


PORTKEY = Peer(
    "portkey",
    json.loads(FILES[0].read_text())["dependencies"][PACKAGE],
    {
        "authentication": "none; the client's credential goes to the provider",
        "budget": "none",
        "reservation": "none",
        "usage event": "none",
        "spend log": "none",
        "database": "none",
    },
    start,
)
