"""The admin process itself: start, readiness, a database that is away, drain, restart."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from tests.integration.admin.gateway import ADMIN_TOKEN, SECRET_KEY, eventually
from tests.integration.own_nats import OwnNats
from tests.ports import free_port

ROOT = Path(__file__).parents[3]


def asking(probe: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        try:
            return await probe()
        except httpx2.TransportError:
            return False

    return asked


class Running:
    """One admin process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self.process = process
        self.log = log
        headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
        self.client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10)

    async def answers(self, path: str, status: int) -> None:
        async def probe() -> bool:
            return (await self.client.get(path)).status_code == status

        await eventually(asking(probe), 30)


@asynccontextmanager
async def running(data_dir: Path, **environment: str) -> AsyncIterator[Running]:
    port = free_port()
    log = data_dir / "admin.log"
    data_dir.mkdir(exist_ok=True)  # noqa: ASYNC240 - before anything runs
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ONEAPI_", "OTEL_"))},
        "ONEAPI_ADMIN_PORT": str(port),
        "ONEAPI_DATA_DIR": str(data_dir),
        "ONEAPI_ADMIN_TOKEN": ADMIN_TOKEN,
        "ONEAPI_SECRET_KEY": SECRET_KEY,
        "NATS_URL": "nats://127.0.0.1:1",
        **environment,
    }
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.admin", cwd=ROOT, env=variables, stdout=out, stderr=out
        )
    made = Running(process, port, log)
    try:
        yield made
    finally:
        await made.client.aclose()
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_serves_without_nats_and_keeps_what_was_made(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as first:
        await first.answers("/healthz", 200)
        await first.answers("/api/accounts/acc_operator", 200)

        async def only_nats_is_missing() -> bool:
            ready = await first.client.get("/readyz")
            return (ready.status_code, set(ready.json()["missing"])) == (503, {"nats"})

        await eventually(only_nats_is_missing)
        made = await first.client.post("/api/keys", json={"name": "k"})
        assert made.status_code == 201
        assert (await first.client.get("/")).status_code == 200
        first.process.kill()
        await first.process.wait()
        text = first.log.read_text()
        assert all(json.loads(line)["service"] == "admin" for line in text.splitlines())
        assert ADMIN_TOKEN not in text
        assert made.json()["key"] not in text
    async with running(tmp_path / "data") as second:
        await second.answers(f"/api/keys/{made.json()['id']}", 200)


async def test_it_is_ready_with_everything_and_ends_in_order(
    tmp_path: Path, own_nats: OwnNats, database_url: str | None
) -> None:
    async with running(tmp_path / "data", NATS_URL=own_nats.url, DATABASE_URL=database_url or "") as service:
        await service.answers("/readyz", 200)
        service.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(service.process.wait(), 10) == 0


async def test_it_waits_for_a_database_that_is_away(tmp_path: Path) -> None:
    url = f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none"
    async with running(tmp_path / "data", DATABASE_URL=url) as service:
        await service.answers("/healthz", 200)
        answer = await service.client.get("/api/accounts")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert "sql" in (await service.client.get("/readyz")).json()["missing"]
        service.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(service.process.wait(), 10) == 0


async def test_a_bad_setting_is_one_sentence(tmp_path: Path) -> None:
    async with running(tmp_path / "data", ONEAPI_SECRET_KEY="") as service:
        assert await asyncio.wait_for(service.process.wait(), 20) == 2
        assert service.log.read_text() == "The setting ONEAPI_SECRET_KEY is required and is not set.\n"
    async with running(tmp_path / "data", DATABASE_URL="mysql://x/y") as service:
        assert await asyncio.wait_for(service.process.wait(), 20) == 2
        assert "DATABASE_URL" in service.log.read_text()
