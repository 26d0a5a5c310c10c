"""The whole gateway as processes, as a user starts it, and what a test needs to talk to it."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 180.0
Answer = TypeVar("Answer")


def eventually(probe: Callable[[], Answer | None], timeout_s: float = 10.0) -> Answer:
    """The first true answer of `probe`; AssertionError with the last answer when none came in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"still {answer!r} after {timeout_s} s"
        time.sleep(0.05)


class UpstreamServer:
    """The upstream test server as a process, and the record that it keeps."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.record = folder / "upstream.jsonl"
        self.record.touch()
        self.url = f"http://127.0.0.1:{self.port}"
        arguments = [sys.executable, "-m", "tests.upstream.server", str(self.port), str(self.record)]
        self._process = subprocess.Popen(arguments, cwd=ROOT)
        eventually(self._answers, 30)

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/v1/models").status_code == 200
        except httpx2.TransportError:
            return False

    def served(self, **asked: Any) -> list[dict[str, Any]]:
        """Requests so far whose entries have these values."""
        rows = [json.loads(line) for line in self.record.read_text().splitlines()]
        return [row for row in rows if all(row[name] == value for name, value in asked.items())]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


class Gateway:
    """`oneapi up` on a data directory of its own, with the management API at hand."""

    def __init__(self, data_dir: Path, environment: dict[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_token = f"e2e-admin-{uuid.uuid4().hex}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ONEAPI_", "OTEL_"))},
            "ONEAPI_PORT": str(self.port),
            "ONEAPI_DATA_DIR": str(data_dir),
            "ONEAPI_ADMIN_TOKEN": self.admin_token,
            "ONEAPI_ALLOW_PRIVATE_UPSTREAMS": "1",
            **(environment or {}),
        }
        self.log = data_dir.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None
        headers = {"authorization": f"Bearer {self.admin_token}"}
        self.admin = httpx2.Client(base_url=self.url, headers=headers, timeout=30)

    def start(self) -> float:
        """Starts it and waits until it is ready; seconds that took."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "oneapi", "up"], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        eventually(self.ready_or_dead, START_LIMIT_S)
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        return time.monotonic() - began

    def ready_or_dead(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            return True
        try:
            return httpx2.get(f"{self.url}/readyz").status_code == 200 and self._printed()
        except httpx2.TransportError:
            return False

    def _printed(self) -> bool:
        return "curl " in self.log.read_text()

    def stop(self) -> float:
        """SIGTERM, as Ctrl-C or an init system would; seconds until it was gone."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        return time.monotonic() - began

    def restart(self, **changed: str) -> None:
        """Stops and starts it with these settings changed; an empty text unsets one. Every part is there again then."""
        self.stop()
        self._environment |= changed
        self.start()
        eventually(lambda: self.admin.get("/api/status").json()["status"] == "ok", 30)

    def oneapi(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command of the CLI on this stack's data directory."""
        return subprocess.run(
            [sys.executable, "-m", "oneapi", *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def create(self, resource: str, **fields: Any) -> dict[str, Any]:
        """POST to the management API; the resource as it answers."""
        answer = self.admin.post(f"/api/{resource}", json=fields)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def key(self, **fields: Any) -> str:
        """A new relay key that the edge already knows."""
        key: str = self.create("keys", **{"name": "e2e", **fields})["key"]
        eventually(lambda: self.client(key).get("/v1/models").status_code == 200)
        return key

    def client(self, key: str) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, headers={"authorization": f"Bearer {key}"}, timeout=30)

    def channel(self, upstream: UpstreamServer, models: dict[str, str], **fields: Any) -> str:
        """A channel to the upstream test server, and a price for each of its models; waits until it is served."""
        provider = fields.setdefault("provider", "openai-compatible")
        bare = provider.startswith("anthropic") or provider == "gemini"
        base_url = upstream.url if bare else f"{upstream.url}/v1"
        given = {"name": f"ch-{uuid.uuid4().hex[:8]}", "base_url": base_url, "api_key": "upstream-credential", **fields}
        channel = self.create("channels", models=list(models), model_mapping=models, **given)
        for model in models:
            answer = self.admin.put(f"/api/prices/{model}", json={"input": "2", "cached_input": "0.5", "output": "8"})
            assert answer.status_code in {200, 201}, answer.text
        key = self.key()
        for model in models:
            eventually(lambda model=model: self.client(key).get(f"/v1/models/{model}").status_code == 200)  # type: ignore[misc]
        identity: str = channel["id"]
        return identity

    def receipt(self, key: str, request_id: str) -> dict[str, Any]:
        """The receipt, which must be readable within 5 s of the end of the request."""

        def read() -> dict[str, Any] | None:
            answer = self.client(key).get(f"/v1/receipts/{request_id}")
            return dict(answer.json()) if answer.status_code == 200 else None

        receipt = eventually(read, 5)
        assert receipt is not None
        return receipt
