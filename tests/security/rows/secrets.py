"""S: what is shown to whom. Secrets go in everywhere; then every place is searched that keeps or shows anything."""

import asyncio
import functools
import re
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import nats
import redis

from oneapi.stack import clickhouse_server
from tests.e2e.gateway import eventually
from tests.security.rows import mistakes
from tests.security.rows.canaries import FEWEST, planted
from tests.security.table import Absent, Row
from tests.security.wire import BEHIND_THE_DOOR, LISTENERS, MANAGER, NONE, Place, attack, check, get, send, whole
from tests.security.world import ASKED, CHAT, World

# Where things are kept ----------------------------------------------------------------------------------------------


def _files(world: World, names: str) -> str:
    """The files of the data directory that hold a canary, as they lie there."""
    canaries = planted(world)
    patterns = "\n".join(canaries.secrets[what] for what in canaries.secrets if what != "first administrator")
    paths = [str(path) for path in world.gateway.data_dir.glob(names)]
    assert paths, names
    command = ["grep", "-rlaF", "-f", "-", *paths]
    return subprocess.run(command, input=patterns, capture_output=True, text=True, check=False).stdout


def logs(world: World) -> Iterator[str]:
    # `oneapi up` shows the administrator's token to who starts it, once.
    yield world.gateway.log.read_text(errors="replace").replace(world.gateway.admin_token, "", 1)
    for path in (world.gateway.data_dir / "logs").glob("*.log"):
        yield path.read_text(errors="replace")


def traces(world: World) -> Iterator[str]:
    spans = world.collector.find(lambda span: span.trace_id == planted(world).trace_id)
    assert len(spans) >= 6
    for span in world.collector.find(lambda _: True):
        yield repr((span, span.attributes))


def metrics(world: World) -> Iterator[str]:
    found = world.metrics()
    assert len(found) == 5
    for text in found.values():
        assert "python_info" in text
        yield text


def clickhouse(world: World) -> Iterator[str]:
    address = world.environment()["CLICKHOUSE_URL"]
    listed = clickhouse_server.ask(
        address, "SELECT database, name FROM system.tables WHERE engine LIKE '%MergeTree%' FORMAT TSV"
    )
    tables = [line.split("\t") for line in listed.splitlines()]
    assert len(tables) >= 3, tables
    for database, name in tables:
        yield clickhouse_server.ask(address, f"SELECT * FROM `{database}`.`{name}` FORMAT TSV", limit_s=60)


def sql(world: World) -> Iterator[str]:
    with sqlite3.connect(f"file:{_database(world)}?mode=ro", uri=True) as database:
        dumped = "\n".join(database.iterdump())
    assert planted(world).names["channel"] in dumped, "the search finds nothing"
    yield dumped


def _database(world: World) -> str:
    return urlsplit(world.environment()["DATABASE_URL"]).path.replace("//", "/")


def bus(world: World) -> Iterator[str]:
    texts = asyncio.run(_messages(world.environment()["NATS_URL"]))
    assert any(planted(world).names["channel"] in text for text in texts), "the search finds nothing"
    yield from texts


async def _messages(address: str) -> list[str]:
    client = await nats.connect(address)
    js = client.jetstream()
    texts = []
    for info in await js.streams_info():
        name = info.config.name
        assert name is not None
        for sequence in range(max(info.state.first_seq, 1), info.state.last_seq + 1):
            try:
                message = await js.get_msg(name, seq=sequence)
            except nats.js.errors.NotFoundError:
                continue
            data = (message.data or b"").decode("latin-1")
            texts.append(f"{message.subject} {message.headers} {data}")
    await client.close()
    return texts


def redis_store(world: World) -> Iterator[str]:
    with redis.Redis.from_url(world.environment()["REDIS_URL"]) as client:
        keys = list(client.scan_iter(count=1_000))
        assert keys
        for key in keys:
            yield repr(key) + repr(client.dump(key))


def files(world: World) -> Iterator[str]:
    """The whole data directory: the spool, the bus, Redis' file, the database and its journal, generated files."""
    yield _files(world, "*")
    yield _files(world, "spool*")


def answers(world: World) -> Iterator[str]:
    yield from planted(world).heard


RESOURCES = ("channels", "mcp-servers", "users", "keys", "tokens", "accounts", "prices", "audit", "status", "session",
             "usage", "logs", "balance")  # fmt: skip
REPORTS = frozenset({"usage", "logs", "balance", "status", "session"})
ASKING = ("?limit=200", "?fields=api_key", "?expand=secrets", "?reveal=1")


def management(world: World) -> Iterator[str]:
    yield from _read_by_roles(world)


@functools.cache
def _read_by_roles(world: World) -> tuple[str, ...]:
    """What each role can read: lists, single resources, and what asks for more."""
    canaries = planted(world)
    texts = []
    for credential in canaries.roles.values():
        client = world.client(credential)
        for resource in RESOURCES:
            for asking in ASKING if resource not in REPORTS else ASKING[:1]:
                answer = client.get(f"/api/{resource}{asking}")
                assert answer.status_code < 500, answer.text
                texts.append(answer.text)
                rows = answer.json().get("data", []) if asking == ASKING[0] else []
                texts += [client.get(f"/api/{resource}/{row['id']}").text for row in rows[:5] if "id" in row]
    assert any(canaries.names["channel"] in text for text in texts), "the search finds nothing"
    return tuple(texts)


def public(world: World) -> Iterator[str]:
    """What everybody may read."""
    planted(world)
    for listener in ("edge", "mcp", "admin"):
        for path in ("/", "/healthz", "/readyz", "/openapi.json", "/v1/openapi.json", "/metrics", "/api", "/mcp"):
            yield httpx2.get(f"http://127.0.0.1:{world.ports[listener]}{path}").text


def arguments(world: World) -> Iterator[str]:
    planted(world)
    for pid in _pids(world):
        yield (Path("/proc") / str(pid) / "cmdline").read_bytes().decode("latin-1")
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=False)
    yield listed.stdout


def _pids(world: World) -> list[int]:
    process = world.gateway.process
    assert process is not None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [process.pid, *map(int, children)]


PLACES: list[Callable[[World], Iterator[str]]] = [
    logs, traces, metrics, clickhouse, sql, bus, redis_store, answers, management, public, arguments,
]  # fmt: skip


def nowhere(world: World, place: Callable[[World], Iterator[str]]) -> None:
    """None of the planted secrets is there."""
    secrets = planted(world).secrets
    assert len(secrets) >= FEWEST
    found = {what for text in place(world) for what, secret in secrets.items() if secret in text}
    assert not found, f"{place.__name__}: {sorted(found)}"


def in_no_file(world: World, _payload: str) -> None:
    found = [text for text in files(world) if text]
    assert not found, found


# Sealed and hashed --------------------------------------------------------------------------------------------------


def sealed_only(world: World, what: str) -> None:
    """Upstream secrets are sealed, credentials and passwords hashed, and neither form is in any answer."""
    planted(world)
    with sqlite3.connect(f"file:{_database(world)}?mode=ro", uri=True) as database:
        queries = {
            "channels": "SELECT api_key_sealed FROM channels WHERE api_key_sealed != ''",
            "mcp-servers": "SELECT auth_sealed FROM mcp_servers WHERE auth_sealed != ''",
            "keys": "SELECT hash FROM keys",
            "tokens": "SELECT hash FROM tokens",
            "users": "SELECT password_hash FROM users WHERE password_hash IS NOT NULL",
            "session": "SELECT hash FROM sessions",
        }
        kept = [str(row[0]) for row in database.execute(queries[what])]
    assert kept
    form = {"channels": r"v1\.[\w.-]{40,}", "mcp-servers": r"v1\.[\w.-]{40,}", "users": r"\$argon2id\$.+|\$?scrypt.+"}
    for value in kept:
        assert re.fullmatch(form.get(what, r"(?:\d+:|[\w-]+:)?[0-9a-f]{64}"), value), value[:12]
    shown = "".join(management(world))
    assert not [value for value in kept if value in shown]


def swapped(world: World, how: str) -> None:
    """A sealed secret that was moved, cut or changed opens nothing: 502 or 503, and no other secret goes out."""
    models = {name: f"swapped-{how.replace(' ', '-')}-{name}" for name in ("mine", "theirs")}
    channels = {
        name: world.gateway.channel(world.upstream, {model: "play"}, api_key=f"sk-{name}-{model}")
        for name, model in models.items()
    }
    world.canaries.update(f"sk-{name}-{model}" for name, model in models.items())
    with sqlite3.connect(_database(world), timeout=20) as database:
        read = "SELECT api_key_sealed FROM channels WHERE id = ?"
        kept = {name: database.execute(read, (channel,)).fetchone()[0] for name, channel in channels.items()}
        new = {
            "of another channel": kept["theirs"],
            "cut": kept["mine"][:-8],
            "changed": kept["mine"][:-2] + ("AA" if not kept["mine"].endswith("AA") else "BB"),
            "another version": "v9" + kept["mine"][2:],
            "not sealed": "sk-in-the-clear",
        }[how]
        database.execute("UPDATE channels SET api_key_sealed = ? WHERE id = ?", (new, channels["mine"]))
    database.close()
    renamed = world.gateway.admin.patch(f"/api/channels/{channels['mine']}", json={"priority": 7})
    assert renamed.status_code == 200, renamed.text
    key = world.gateway.key(name="swapped")
    before = len(world.upstream.served())

    def refused() -> httpx2.Response | None:
        answer = world.client(key).post(CHAT, json={**ASKED, "model": models["mine"]})
        return answer if answer.status_code in {502, 503} else None

    answer = eventually(refused)
    assert answer is not None
    assert "seal" not in answer.text, answer.text
    later = [row for row in world.upstream.served()[before:] if f"-theirs-{models['theirs']}" in str(row["credential"])]
    assert not later, "a foreign secret was sent"
    world.gateway.admin.delete(f"/api/channels/{channels['mine']}")


# Shown to the public ------------------------------------------------------------------------------------------------

HIDDEN = (
    "/health", "/metrics", "/redoc", "/debug", "/debug/pprof", "/.env", "/config_dump", "/.git/config", "/env",
    "/actuator/env", "/server-status", "/swagger", "/swagger.json", "/openapi.yaml", "/graphql", "/console.map",
    "/stats", "/varz", "/jsz", "/healthz/secrets", "/metrics/", "/-/metrics", "/.well-known/../.env", "/api/metrics",
    "/api/config", "/api/debug", "/api/env", "/stack.json", "/secrets.json", "/v1/metrics", "/v1/debug", "/mcp/metrics",
)  # fmt: skip


def hidden(world: World, listener: str) -> None:
    """Nothing but health and public documents without a credential, on any listener."""
    for path in HIDDEN:
        answer = send(world.ports[listener], get(path, "x: y"))
        assert answer[9:12] in {b"400", b"401", b"404"}, f"{path}: {answer[:300]!r}"
        assert b"python" not in answer.lower(), path
    for path, status in {"/healthz": "ok", "/readyz": "ready"}.items():
        said = httpx2.get(f"http://127.0.0.1:{world.ports[listener]}{path}")
        assert said.status_code == 200
        assert said.json() == {"status": status}


def says_little(world: World, place: Place) -> None:
    """Every error has the headers that keep it private, and none tells what the server is made of."""
    for headers in ([], ["content-encoding: gzip"], ["accept: text/html"]):
        sent = whole(place, *headers).replace(place.credential.encode(), b"authorization: Bearer x", 1)
        head = send(world.ports[place.listener], sent).partition(b"\r\n\r\n")[0].lower()
        assert head.startswith(b"http/1.1 401 "), head
        assert b"\r\ncache-control: no-store" in head, head
        assert b"\r\nx-content-type-options: nosniff" in head, head
        assert b"json" in re.search(rb"\r\ncontent-type: ([^\r]*)", head)[1], head  # type: ignore[index]
        for told in (b"\r\nserver:", b"\r\nx-powered-by:", b"uvicorn", b"python", b"starlette", b"\r\nset-cookie:",
                     b"access-control-allow"):  # fmt: skip
            assert told not in head, head


# Processes and files ------------------------------------------------------------------------------------------------


def environments(world: World, program: str) -> None:
    """Nobody has a secret in its environment or its arguments that is not its business."""
    known = world.environment()
    own = {name: known[name] for name in ("ONEAPI_ADMIN_TOKEN", "ONEAPI_SECRET_KEY")}
    passwords = [re.sub(r"^\w+://[^:]*:|@.*$", "", known[name]) for name in ("NATS_URL", "REDIS_URL", "CLICKHOUSE_URL")]
    meant = {
        "edge": {"ONEAPI_SECRET_KEY"},
        "mcp": {"ONEAPI_SECRET_KEY"},
        "router": {"ONEAPI_SECRET_KEY"},
        "billing": {"ONEAPI_SECRET_KEY"},
        "admin": {"ONEAPI_SECRET_KEY", "ONEAPI_ADMIN_TOKEN"},
    }
    services = world.services()
    stores = set(_pids(world)[1:]) - set(services.values())
    pids = {services[program]} if program in services else stores
    assert pids, program
    for pid in pids:
        told = Path(f"/proc/{pid}/cmdline").read_text()
        assert not [name for name, value in own.items() if value in told], told
        assert not [password for password in passwords if password in told], told
        environment = Path(f"/proc/{pid}/environ").read_text()
        for name, value in own.items():
            assert name in meant.get(program, set()) or value not in environment, f"{program} has {name}"
        if program not in services:
            assert not [password for password in passwords if password in environment]
        for foreign in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "DATABASE_URL"):
            assert program == "admin" or f"\0{foreign}=" not in f"\0{environment}", f"{program} has {foreign}"


def private(world: World, name: str) -> None:
    """What the gateway keeps is its user's alone."""
    root = world.gateway.data_dir
    found = [root] if name == "." else list(root.glob(name))
    assert found, name
    for path in found:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, f"{path.name} is {mode:o}"


OTHERS: list[Any] = [*BEHIND_THE_DOOR, *LISTENERS[1:]]

ROWS: list[Row | Absent] = [
    Row("S-01", "what everybody may read", hidden, ["edge", "mcp", "admin"]),
    Row("S-02", "errors say little", says_little, OTHERS),
    Row("S-05", "sealed and hashed, and never shown", sealed_only,
        ["channels", "mcp-servers", "keys", "tokens", "users", "session"]),
    Row("S-06", "sealed secrets in the wrong place", swapped,
        ["of another channel", "cut", "changed", "another version", "not sealed"]),
    Row("S-07", "secrets through every input are nowhere", nowhere, PLACES),
    Row("S-08", "and in no file", in_no_file, ["the data directory"]),
    Row("S-09", "arguments and environments of processes", environments,
        ["edge", "router", "billing", "mcp", "admin", "the stores"]),
    Row("S-11", "modes of what is kept", private, [".", "secrets.json", "stack.json", "spool", "logs"]),
    Row("S-12", "the console's document for everybody", check, [
        attack("schema of the management API", get("/openapi.json", "x: y"), 200, shape=NONE),
        attack("status for a token", get("/api/status", MANAGER), 200, shape=NONE),
    ]),
    *mistakes.ROWS,
]  # fmt: skip
