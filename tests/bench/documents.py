"""A public document that hasn't changed: CPU of admin per request beside nginx serving the same bytes as a file.

`python -m tests.bench.documents` measures these alone.
"""

import contextlib
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

import httpx2

from tests.bench.machine import EVERYTHING_ELSE, SYSTEM_UNDER_TEST, command, cpu_seconds, pin, tree
from tests.bench.programs import BUILD, build, find_nginx, start_mock
from tests.e2e.gateway import Gateway, eventually
from tests.ports import free_port

PATHS = {"llms": "/llms.txt", "pricing": "/pricing.md", "openapi": "/openapi.json", "home": "/"}
CONFIG = """
worker_processes 1; daemon off; master_process off; pid {folder}/files.pid; error_log {folder}/files.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/fb; proxy_temp_path {folder}/fp; fastcgi_temp_path {folder}/ff;
  uwsgi_temp_path {folder}/fu; scgi_temp_path {folder}/fs; etag on;
  server {{ listen 127.0.0.1:{port}; location / {{ root {folder}/files; }} }}
}}
"""


def cost_us(pid: int, port: int, path: str) -> float:
    """CPU microseconds of a process per GET of a path."""
    before = cpu_seconds(pid)
    arguments = [BUILD / "loadgen", "-G", "-p", port, "-P", path, "-c", 32, "-d", 3, "-w", 1]
    done = subprocess.run(
        ["taskset", "-c", "0", *map(str, arguments)], capture_output=True, text=True, check=True, timeout=60
    )
    figures = json.loads(done.stdout)
    assert not figures["non200"], done.stderr
    count: int = figures["all_ok"]
    return (cpu_seconds(pid) - before) / max(count, 1) * 1e6


def measure(gateway: Gateway, folder: Path, turns: int) -> dict[str, float]:
    """For each document the median of the ratios that were taken inside a round."""
    assert gateway.process is not None
    admin = next(pid for pid in tree(gateway.process.pid) if "services.admin" in command(pid))
    environment = Path(f"/proc/{admin}/environ").read_text().split("\0")
    port = int(next(item for item in environment if item.startswith("ONEAPI_ADMIN_PORT=")).partition("=")[2])
    folder.chmod(0o755)  # nginx's worker is not root
    (folder / "files").mkdir()
    for name, path in PATHS.items():
        body = httpx2.get(f"http://127.0.0.1:{port}{path}").raise_for_status().content
        (folder / "files" / name).write_bytes(body)
    files_port = free_port()
    (folder / "files.conf").write_text(CONFIG.format(folder=folder, port=files_port))
    files = subprocess.Popen([find_nginx(), "-c", folder / "files.conf"], stderr=subprocess.DEVNULL)
    pin(files.pid, SYSTEM_UNDER_TEST)
    pin(admin, SYSTEM_UNDER_TEST)
    found: dict[str, list[float]] = {}
    try:
        eventually(lambda: httpx2.get(f"http://127.0.0.1:{files_port}/llms").status_code == 200, 10)
        for _ in range(turns):
            for name, path in PATHS.items():
                base = cost_us(files.pid, files_port, f"/{name}")
                cost = cost_us(admin, port, path)
                found.setdefault(f"cpu_per_document_vs_nginx_{name}", []).append(cost / base)
                found.setdefault(f"cpu_us_per_document_{name}", []).append(cost)
    finally:
        files.kill()
        pin(admin, EVERYTHING_ELSE)
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    from tests.bench.bench import ROUNDS, start_gateway  # it calls this module

    build("loadgen")
    with contextlib.ExitStack() as clean_up:
        folder = Path(clean_up.enter_context(tempfile.TemporaryDirectory(prefix="oneapi-bench-")))
        mock_process, mock = start_mock()
        clean_up.callback(mock_process.kill)
        gateway, _ = start_gateway(folder, mock, clean_up)
        for name, value in measure(gateway, folder, ROUNDS).items():
            print(f"{name:48} {value:>8.2f}")


if __name__ == "__main__":
    main()
