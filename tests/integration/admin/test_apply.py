"""`oneapi apply` against the running application: idempotent, with a dry run that shows the difference."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from oneapi.runtime.door.answers import small_json
from oneapi.runtime.http_server import HttpServer
from oneapi.runtime.telemetry import HeadSampler
from services.admin.application import build
from services.admin.apply.__main__ import main
from tests.integration.admin.gateway import ADMIN_TOKEN, Admin

FILE = """
accounts:
  - name: team
    group: gold
channels:
  - name: main
    provider: openai-compatible
    base_url: https://api.example.com/v1
    models: [m, vendor/n]
    api_key: ${UPSTREAM_KEY}
    headers: {X-Org: "${UPSTREAM_ORG}"}
    limits: {first_byte_timeout_s: 2.5}
    weight: 3
    public_name: Main line
    hidden_models: [vendor/n]
prices:
  - model: vendor/n
    input: 2.50
    output: 10
    time_windows: [{timezone: Europe/Berlin, from: 22:30, to: 10:15, input: 1}]
  - model: m
    channel: main
    per_call: "0.001"
mcp_servers:
  - name: tools
    url: https://tools.example.com/mcp
    auth: ${TOOLS_TOKEN}
    prices: {search: 0.01}
keys:
  - name: app
    account: team
    channels: [main]
    budget: {amount_usd: 5, window: month}
"""
SECRETS = {
    "UPSTREAM_KEY": "upstream-credential-1",
    "UPSTREAM_ORG": "organisation-secret",
    "TOOLS_TOKEN": "tools-token-secret-1",
}


class Command:
    def __init__(self, url: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.url, self.file, self.capsys = url, file, capsys
        self.environment = {"ONEAPI_ADMIN_URL": url, "ONEAPI_ADMIN_TOKEN": ADMIN_TOKEN, **SECRETS}

    async def run(self, text: str, *flags: str, **environment: str) -> tuple[int, str, list[str]]:
        """Exit status, standard output, and the lines of standard error."""
        self.file.write_text(text)
        given = self.environment | environment
        status = await asyncio.to_thread(main, ["-f", str(self.file), *flags], given)
        out, err = self.capsys.readouterr()
        assert not any(secret in out + err for secret in SECRETS.values())
        return status, out, err.splitlines()


@pytest.fixture
async def command(admin: Admin, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Command]:
    server = HttpServer(build(admin.parts, HeadSampler(0.0)), "127.0.0.1", 0, render=small_json)
    await server.start()
    yield Command(f"http://127.0.0.1:{server.port}", tmp_path / "one-api.yaml", capsys)
    await server.stop()


async def test_a_file_is_applied_once(admin: Admin, command: Command) -> None:
    status, out, err = await command.run(FILE, "--dry-run")
    assert (status, out) == (0, "")
    added = [
        "+ account team", "+ channel main", "+ price vendor/n", "+ price m on main", "+ mcp-server tools", "+ key app",
    ]  # fmt: skip
    assert err == [*added, "6 to change, 0 unchanged"]
    assert [row["name"] for row in (await admin.client.get("/api/channels")).json()["data"]] == ["sandbox"]
    status, out, err = await command.run(FILE)
    assert status == 0
    assert err == [*added, "6 changed, 0 unchanged"]
    assert out.startswith("app: sk-")
    channel = next(row for row in (await admin.client.get("/api/channels", params={"name": "main"})).json()["data"])
    assert (channel["limits"]["first_byte_timeout_s"], channel["weight"]) == (2.5, 3)
    assert (channel["public_name"], channel["hidden_models"]) == ("Main line", ["vendor/n"])
    price = (await admin.client.get("/api/prices/vendor/n")).json()
    assert (price["input"], price["output"]) == ("2.5", "10")
    assert price["time_windows"][0] | {"days": []} == {
        "timezone": "Europe/Berlin", "days": [], "from": "22:30", "to": "10:15", "input": "1",
    }  # fmt: skip
    audited = len(await admin.audit())
    for flags in ((), ("--dry-run",), ()):
        status, out, err = await command.run(FILE, *flags)
        assert (status, out, err) == (0, "", [f"0 {'to change' if flags else 'changed'}, 6 unchanged"])
    assert len(await admin.audit()) == audited


async def test_differences_are_shown_and_made(admin: Admin, command: Command) -> None:
    await command.run(FILE)
    changed = (
        FILE.replace("weight: 3", "weight: 4").replace("output: 10", "output: 11").replace("group: gold", "group: iron")
    )
    expected = [
        '~ account team: group "gold" -> "iron"',
        "~ channel main: api_key (a secret), weight 3 -> 4",
        "~ price vendor/n: a new version",
    ]
    rotated = {"UPSTREAM_KEY": "upstream-credential-1-rotated"}
    _, _, err = await command.run(changed, "--dry-run", **rotated)
    assert err == [*expected, "3 to change, 3 unchanged"]
    assert (await admin.client.get("/api/prices/vendor/n")).json()["output"] == "10"
    _, _, err = await command.run(changed, **rotated)
    assert err == [*expected, "3 changed, 3 unchanged"]
    assert (await admin.client.get("/api/prices/vendor/n")).json()["output"] == "11"


async def test_what_cannot_be_applied(admin: Admin, command: Command) -> None:
    wrong = "channels:\n  - {name: c, provider: openai, models: [m], base_url: 'https://10.0.0.1/v1'}\n"
    status, _, err = await command.run(wrong)
    assert (status, len(err)) == (1, 1)
    assert err[0].startswith("oneapi apply: channel c: base_url: 10.0.0.1 is a private network")
    status, _, err = await command.run(
        "channels:\n  - {name: c, provider: openai, models: [m], nope: 1}\n", "--dry-run"
    )
    assert (status, err) == (1, ["oneapi apply: channel c: nope: is not a known field."])
    status, _, err = await command.run("prices:\n  - {model: m, channel: nowhere, input: 1}\n")
    assert (status, err) == (1, ["oneapi apply: price m: there is no channel named nowhere."])
    for _ in range(2):
        await admin.create("accounts", name="twin")
    status, _, err = await command.run("accounts: [{name: twin, group: gold}]")
    assert (status, "several" in err[0]) == (1, True)
    status, _, err = await command.run("accounts: [{name: a}]", ONEAPI_ADMIN_TOKEN="wrong")
    assert (status, "token" in err[0]) == (1, True)
    status, _, err = await command.run("accounts: [{name: a}]", ONEAPI_ADMIN_URL="http://127.0.0.1:1")
    assert (status, "does not answer" in err[0]) == (1, True)
    for text in (
        "accounts: [",
        "accounts: {}",
        "nothing: []",
        "accounts: [{group: x}]",
        "- a",
        "accounts: [{name: ${NO}}]",
    ):
        assert (await command.run(text))[0] == 2
    command.file.unlink()
    assert await asyncio.to_thread(main, ["-f", str(command.file)], command.environment) == 2
