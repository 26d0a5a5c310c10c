"""The C mock upstream, the C load generator and nginx: built or found, started, and asked."""

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.bench.machine import EVERYTHING_ELSE, SYSTEM_UNDER_TEST, pin
from tests.e2e.gateway import ROOT, eventually
from tests.ports import free_port

HERE = Path(__file__).parent
BUILD = ROOT / ".bench"
CHAT, RESPONSES, MESSAGES = "openai_chat", "openai_responses", "anthropic_messages"
PATHS = {CHAT: "/v1/chat/completions", RESPONSES: "/v1/responses", MESSAGES: "/v1/messages"}
NGINX = """
worker_processes 1; daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream mock {{ server 127.0.0.1:{mock}; keepalive 512; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""


@dataclasses.dataclass
class Target:
    """Something that answers the bench's requests: where, and which process tree pays for it.

    `whole` is the process above everything that serves a request, stores included; 0 when that is `pid` itself.
    """

    name: str
    port: int
    pid: int
    credential: str = "none"
    headers: tuple[str, ...] = ()
    whole: int = 0


def build(name: str) -> Path:
    """Compiles one of the C programs of this folder."""
    BUILD.mkdir(exist_ok=True)
    program = BUILD / name
    subprocess.run(["gcc", "-O2", "-o", program, HERE / f"{name}.c"], check=True)
    return program


def start_mock() -> tuple["subprocess.Popen[bytes]", int]:
    """The mock upstream on a free port."""
    port = free_port()
    process = subprocess.Popen([build("mock_upstream"), str(port)], stderr=subprocess.DEVNULL)
    pin(process.pid, EVERYTHING_ELSE)
    return process, port


def find_nginx() -> str:
    """The path of nginx, installed by the system's package manager when it isn't there."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "nginx-light"], check=True)
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert program is not None
    return program


def start_nginx(mock: int, folder: Path) -> tuple["subprocess.Popen[bytes]", Target]:
    """nginx as a reverse proxy before the mock: the base of every ratio."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, mock=mock, port=port))
    process = subprocess.Popen([find_nginx(), "-c", config], stderr=subprocess.DEVNULL)
    pin(process.pid, SYSTEM_UNDER_TEST)
    return process, Target("nginx", port, process.pid)


def load(
    target: Target,
    model: str,
    *,
    seconds: float,
    concurrency: int,
    rate: float = 0,
    stream: bool = False,
    dialect: str = CHAT,
    most: int = 0,
    refusals: bool = False,
) -> dict[str, Any]:
    """One run of the load generator; its figures. Unless `refusals` are expected, every answer must be a 200."""
    text = "The quick brown fox jumps over the lazy dog. " * 42
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": text}]}
    if dialect == RESPONSES:
        body = {"model": model, "input": text}
    elif dialect == MESSAGES:
        body["max_tokens"] = 4_096
    if stream:
        body |= {"stream": True}
        body |= {"stream_options": {"include_usage": True}} if dialect == CHAT else {}
    path = BUILD / f"body-{dialect}-{model}.json"
    path.write_text(json.dumps(body))
    arguments = [BUILD / "loadgen", "-p", target.port, "-P", PATHS[dialect], "-f", path, "-c", concurrency]
    arguments += ["-d", seconds, "-w", 1, "-H", f"Authorization: Bearer {target.credential}"]
    arguments += [part for header in target.headers for part in ("-H", header)]
    arguments += ["-r", rate] if rate else []
    arguments += ["-s"] if stream else []
    arguments += ["-n", most, "-1"] if most else []
    process = subprocess.run(
        ["taskset", "-c", "0", *map(str, arguments)], capture_output=True, text=True, check=True, timeout=120
    )
    figures: dict[str, Any] = json.loads(process.stdout)
    assert refusals or not figures["non200"], f"{target.name}: {process.stderr}"
    return figures


def answers(target: Target) -> bool:
    """Whether one request through the target succeeds."""
    try:
        return bool(load(target, "mock-c1-d0", seconds=0.1, concurrency=1)["ok"] > 0)
    except (AssertionError, subprocess.SubprocessError):
        return False


def wait_for(target: Target, limit_s: float = 30) -> Target:
    """The target, once it answers. AssertionError when it doesn't in time."""
    eventually(lambda: answers(target), limit_s)
    return target
