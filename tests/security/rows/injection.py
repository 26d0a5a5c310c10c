"""I: texts that mean something to whoever is behind."""

import dataclasses
import json
import stat
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx2

from tests.e2e.gateway import eventually
from tests.security.estate import owned_by
from tests.security.management import Operation, operations
from tests.security.rogue_tools import RogueTools, listed
from tests.security.rows.tenants_traffic import echo_upstream
from tests.security.rows.upstream_choice import relayed_model
from tests.security.table import Absent, Row
from tests.security.world import ASKED, CHAT, World
from tests.well_formed import problems

DRY = {"x-oneapi-dry-run": "1"}
SERVICES = ("edge", "router", "billing", "mcp", "admin")

SQL = [
    *("'", '"', "''", "`", "';--", "' OR '1'='1", "' OR 1=1--", '" OR ""="', "1; DROP TABLE keys", "') OR ('1'='1"),
    *("' UNION SELECT hash FROM tokens--", "'; SELECT pg_sleep(8)--", "%27%20OR%201=1", "\\'; --", "x' AND sleep(8)#"),
    *("$1", ":name", "?", "%s", "%(name)s", "{0}", "{name}", "@@version", "0x27", "/*", "*/", "--", "#", ";", "\\"),
]
CLICKHOUSE = [
    *("'; INSERT INTO ledger VALUES (1)--", "{a:Identifier}", "{key:String}", "' FORMAT JSON", "' SETTINGS readonly=0"),
    *(
        "x') UNION ALL SELECT * FROM system.users--",
        "url('http://127.0.0.1:9/','CSV')",
        "file('/etc/passwd')",
        "sleep(3)",
    ),
    *("' INTO OUTFILE '/tmp/x'", "remote('127.0.0.1')", "numbers(1000000000)", "\\N", "sandbox' OR '1'='1", "%", "_"),
]
TEMPLATES = [
    *("{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{% for x in y %}{% endfor %}", "{0.__class__.__mro__}", "%(x)s"),
    *("{request_id}", "$(id)", "`id`", "{{config}}", "{{''.__class__}}", "[[7*7]]", "@{7*7}", "%n%n%n", "$HOME", "~"),
]
MARKUP = [
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</title><script src=//evil.example></script>"),
    *(
        "[x](javascript:alert(1))",
        "](x) <b>bold</b>",
        "| a | b |",
        "`</code><i>`",
        "<!--",
        "&lt;script&gt;",
        "' onx='",
    ),
    *(
        "![x](https://evil.example/x.png)",
        "<a href=https://evil.example>x</a>",
        "# heading",
        "</table></main><h1>x</h1>",
    ),
]
MARKED = "a-marked-model"
PAGES = ("/", "/docs/read/pricing.md")
LOG_LINES = [
    '\n{"level":"error","message":"forged"}',
    '\r\n{"level":"error","message":"forged"}',
    "\x1b[2K\x1b[1A forged",
    "\u2028forged",
    "\u2029forged",
    "\u0085forged",
    "\u202eforged",
    '","level":"forged","x":"',
    "\\nforged",
    "\x00forged",
    "a" * 20_000,
]


def texts(operation: Operation) -> Iterator[str]:
    """The fields of a body that take any text."""
    for name, schema in operation.fields.items():
        kinds = [schema, *schema.get("anyOf", ())]
        if any(kind.get("type") == "string" and not kind.get("format") and not kind.get("enum") for kind in kinds):
            yield name


def calm(answer: Any, what: str) -> None:
    """An answer that was foreseen."""
    assert answer.status_code in {200, 201, 204, 400, 404, 409, 422}, f"{what}: {answer.status_code} {answer.text}"


def in_every_field(world: World, text: str) -> None:
    """In every text of every body, every id of every path and every query: refused, or kept as it is."""
    mine = owned_by(world, "operator").parameters()
    admin = world.gateway.admin
    for one in operations(world):
        if one.name == "POST /api/session":
            continue
        for name in texts(one):
            body = {**(one.body or {}), name: text}
            answer = admin.request(one.method, one.place(mine), json=body, headers=DRY)
            calm(answer, f"{one.name} {name}")
            if answer.is_success and name in {"name", "reason"}:
                assert answer.json()[name] == text
        if one.ids:
            place = one.place(dict.fromkeys(mine, quote(text, safe="")))
            answer = admin.request(one.method, place, json=one.body, headers=DRY)
            calm(answer, place)
            if "{model}" not in one.path:
                assert answer.status_code == 404, f"{place}: {answer.status_code}"


def in_reports(world: World, text: str) -> None:
    """In every query of every list and report: a refusal, or nothing found."""
    for one in operations(world):
        if one.method != "GET" or one.ids:
            continue
        for query in one.queries:
            answer = world.gateway.admin.get(one.path, params={query: text})
            calm(answer, f"{one.name} {query}")
            if answer.status_code == 200:
                assert not [row for row in answer.json()["data"] if row.get("requests") != 0], f"{one.name} {query}"


def search(world: World, text: str) -> None:
    """A name is compared, not searched for: wildcards find nothing."""
    owned_by(world, "a")
    for path in ("accounts", "keys", "channels", "mcp-servers"):
        answer = world.gateway.admin.get(f"/api/{path}", params={"name": text})
        assert answer.status_code in {200, 414, 422}, answer.text
        assert not answer.json().get("data"), answer.text
        assert answer.elapsed.total_seconds() < 5


@dataclasses.dataclass(frozen=True)
class Broken:
    """A text with a break in it, in one field of a request."""

    field: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.field} {self.text!r}"


BREAKS = ["a\r\nx-smuggled: y", "a\nx-smuggled: y", "a\rx", "a\0b", "a\r\n\r\nGET / HTTP/1.1", "a\u010d\u010ax"]


def breaks_at_the_edge(world: World, broken: Broken) -> None:
    """As JSON a break is a text like another; in a model's name it is none. Upstream it stays where it was."""
    model = relayed_model(world)
    client = world.client(world.key)
    if broken.field == "model":
        answer = client.post(CHAT, json={**ASKED, "model": f"{model}{broken.text}"})
        assert answer.status_code in {400, 404}, answer.text
        return
    value: Any = {"k": broken.text} if broken.field == "metadata" else broken.text
    answer = client.post(CHAT, json={**ASKED, "model": model, broken.field: value})
    world.bills(world.key, answer.is_success)
    assert answer.status_code in {200, 400}, answer.text
    if answer.is_success:
        last = world.upstream.served(model="play")[-1]
        assert last["body"][broken.field] == value
        assert "x-smuggled" not in {name.lower() for name in last["headers"]}


def breaks_in_configuration(world: World, fields: dict[str, Any]) -> None:
    """What becomes a header or a line must not hold a break."""
    resource = "mcp-servers" if "url" in fields or "auth" in fields else "channels"
    good = {"name": "x", "provider": "openai-compatible", "models": ["x"], "base_url": "https://example.com/v1"}
    if resource == "mcp-servers":
        good = {"name": "x", "url": "https://example.com/mcp"}
    answer = world.gateway.admin.post(f"/api/{resource}", json=good | fields)
    assert answer.status_code in {400, 422}, answer.text
    assert "smuggled" not in answer.text


CONFIGURED: list[dict[str, Any]] = [
    {field: value}
    for broken in ("k\r\nx: smuggled", "k\nx: smuggled", "k\rsmuggled", "k\0smuggled", "k\x7fsmuggled", "ключsmuggled")
    for field, value in (
        ("api_key", broken),
        ("headers", {"x": broken}),
        ("headers", {f"x{broken}": "y"}),
        ("auth", broken),
    )
] + [
    *(
        {"headers": {name: "x"}}
        for name in ("host", "Transfer-Encoding", "content-length", "x-forwarded-for", "cookie")
    ),
    *({"models": [broken]} for broken in ("a\r\nsmuggled", "a\nb", "a\0b", " a", "a ")),
    {"model_mapping": {"x": "b\r\nsmuggled"}},
    {"name": "a\r\nsmuggled"},
    {"name": "a\u202eb"},
    {"base_url": "https://example.com/\r\nx:smuggled"},
]


def odd_model(world: World, model: str) -> None:
    """A model that isn't exactly one that there is."""
    for path, rest in ((CHAT, ASKED), ("/v1/embeddings", {"input": "x"})):
        answer = world.client(world.key).post(path, json={**rest, "model": model})
        world.bills(world.key, answer.is_success)
        assert answer.status_code in {400, 404}, f"{path}: {answer.status_code} {answer.text}"
    answer = world.client(world.key).get(f"/v1/models/{quote(model, safe='')}")
    assert answer.status_code in {400, 404}, answer.text


PATHS = ["../../v1/files?x=", "x?key=1#", "sandbox/../sandbox", "sandbox%00", "sandbox/", "/sandbox", "sandbox#", ".."]
UNICODE = [
    *("sandb\u043ex", "ｓandbox", "sandbox\u200b", "\ufeffsandbox", "sandbox\u0301", "SANDBOX", "sandbox ", " sandbox"),
    *("sand\u00adbox", "ＳＡＮＤＢＯＸ", "sandbo\u0445", "sandbox\u2060", "\u202esandbox", "sаndbox", "sandbox\t"),
]
SUBJECTS = [">", "*", "a.*", "a.>", "$SYS.>", "$KV.catalog.>", "a b", "_INBOX.x", "{a}", "a}{b", "ключ/模型", "a" * 256]


def wild_model(world: World, model: str) -> None:
    """A model whose name means something to the bus or to Redis is a model like another, and touches no other."""
    admin, place = world.gateway.admin, f"/api/prices/{quote(model, safe='')}"
    before = admin.get("/api/prices/sandbox").json()
    if " " not in model and not model.startswith("$"):
        assert admin.put(place, json={"input": "1"}).is_success
        shown = admin.get(place)
        assert (shown.status_code, shown.json().get("model")) == (200, model), shown.text
        assert admin.delete(place).status_code == 204
    for name in ("user", "prompt_cache_key", "safety_identifier"):
        world.chat(world.key, **{name: model})
    assert admin.get("/api/prices/sandbox").json() == before
    assert world.client(world.key).get("/v1/models/sandbox").status_code == 200


def large_field(world: World, field: str) -> None:
    """A megabyte where a short text is meant, with what Redis and the bus read."""
    for text in ("{x}" * 350_000, "a\r\n$1\r\n" * 100_000):
        answer = world.client(world.key).post(CHAT, json={**ASKED, field: text})
        world.bills(world.key, answer.is_success)
        assert answer.status_code in {200, 400, 413}, answer.text[:200]


def markup(world: World, text: str) -> None:
    """What operators call things is text on every page, and no page lets a script in that isn't ours."""
    url = f"http://127.0.0.1:{world.upstream.port}/v1"
    fields = {"provider": "openai-compatible", "base_url": url, "api_key": "x", "models": [MARKED]}
    made = world.gateway.create("channels", name=text, public_name=text, **fields)
    for path in PAGES:
        page = httpx2.get(f"{world.gateway.url}{path}", headers={"accept": "text/html"})
        assert page.status_code == 200, (path, page.text[:200])
        assert MARKED in page.text, path
        assert "'unsafe" not in page.headers["content-security-policy"], path
        assert problems(page.text) == [], path
    assert world.gateway.admin.delete(f"/api/channels/{made['id']}").status_code == 204


class NamedTwice(RogueTools):
    """A server that lists one tool twice, whose name is then worth a line in the log."""

    def __init__(self, name: str) -> None:
        self.TOOLS = (name, name)
        super().__init__()


def _tool_named(world: World, name: str) -> None:
    """A server has a tool of this name, is listed, and is gone."""
    server = NamedTwice(name)
    world.allow(server.port)
    made = world.gateway.create("mcp-servers", name="named twice", url=server.url, priority=-1)
    eventually(lambda: name in listed(world, world.key), 20)
    assert world.gateway.admin.delete(f"/api/mcp-servers/{made['id']}").status_code == 204
    eventually(lambda: name not in listed(world, world.key), 20)


def forged_line(world: World, text: str) -> None:
    """Whatever is said in whatever place: each line of a log is one JSON object of ours."""
    ends = {name: (world.gateway.data_dir / "logs" / f"{name}.log").stat().st_size for name in SERVICES}
    admin, client = world.gateway.admin, world.client(world.key)
    for one in operations(world):
        if one.method == "POST" and "name" in one.fields:
            calm(admin.post(one.path, json={**(one.body or {}), "name": text}, headers=DRY), one.name)
    client.post(CHAT, json={**ASKED, "model": text[:2_000]})
    client.get(f"/v1/receipts/{quote(text[:200], safe='')}")
    client.post("/mcp", json={"jsonrpc": "2.0", "id": text[:200], "method": text[:100]})
    _tool_named(world, text)
    plain = text.encode("ascii", "ignore").decode().translate(dict.fromkeys((*range(32), 127)))
    client.get("/v1/models", headers={"user-agent": plain, "traceparent": plain[:50], "x-request-id": plain[:100]})
    for name, end in ends.items():
        with (world.gateway.data_dir / "logs" / f"{name}.log").open("rb") as log:
            log.seek(end)
            for line in log.read().split(b"\n")[:-1]:
                said = json.loads(line)
                assert said["service"] == name, line
                assert said["level"] in {"debug", "info", "warning", "error", "critical"}, line
                assert b"\x1b" not in line
                assert "forged" not in said["message"][:10], line


def literal(world: World, text: str) -> None:
    """In names and prompts a template is a text."""
    made = world.gateway.create("accounts", name=text)
    assert made["name"] == text
    assert world.gateway.admin.get(f"/api/accounts/{made['id']}").json()["name"] == text
    assert world.gateway.admin.delete(f"/api/accounts/{made['id']}").status_code == 204
    echo_upstream(world)
    answer = world.chat(world.key, model="echo", messages=[{"role": "user", "content": text}])
    assert answer.json()["choices"][0]["message"]["content"] == text


@dataclasses.dataclass(frozen=True)
class Typed:
    """A body of a type that nobody here reads."""

    type: str
    content: bytes

    @property
    def name(self) -> str:
        return self.type


PICKLE = b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94."
TYPED = [
    Typed("application/x-pickle", PICKLE),
    Typed("application/octet-stream", PICKLE),
    Typed("application/yaml", b"!!python/object/apply:os.system ['id']"),
    Typed("text/yaml", b"model: sandbox"),
    Typed("application/msgpack", b"\x81\xa5model\xc7\x03\x01abc"),
    Typed("application/xml", b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>"),
    Typed("application/x-www-form-urlencoded", b"model=sandbox&messages=hi"),
    Typed(
        "multipart/form-data; boundary=x",
        b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nsandbox\r\n--x--',
    ),
    Typed("text/plain", json.dumps(ASKED).encode()),
    Typed("application/json+evil", json.dumps(ASKED).encode()),
    Typed("application/protobuf", b"\x0a\x07sandbox"),
    Typed("", json.dumps(ASKED).encode()),
]


def another_type(world: World, typed: Typed) -> None:
    headers: Mapping[str, str] = {"content-type": typed.type} if typed.type else {}
    client = world.client(world.key)
    for path in (CHAT, "/v1/messages", "/v1/responses", "/v1/embeddings"):
        answer = client.post(path, content=typed.content, headers=headers)
        assert answer.status_code == 415, f"{path}: {answer.status_code} {answer.text}"
    answer = world.gateway.admin.post("/api/accounts", content=typed.content, headers=headers)
    assert answer.status_code == 415, answer.text


def private_place(world: World, name: str) -> None:
    """What the gateway keeps is its own user's alone: nobody else can read it, or put a file beside it."""
    place = world.gateway.data_dir / name
    assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0, f"{place.stat().st_mode:o}"
    if name == "spool":
        assert [kept for kept in place.iterdir() if kept.stat().st_mode & 0o022] == []


ROWS: list[Row | Absent] = [
    Row("I-01", "SQL in every field", in_every_field, SQL[::2], at_once=4),
    Row("I-02", "ClickHouse's language in reports", in_reports, [*CLICKHOUSE, *SQL[:12]], at_once=4),
    Row("I-03", "wildcards in searches", search, ["%", "_", "%%%%%%%%", "_" * 100, "t%", "*", "x" * 10_000, "canary%"]),
    Row(
        "I-04",
        "breaks in requests",
        breaks_at_the_edge,
        [Broken(field, text) for field in ("model", "user", "metadata", "service_tier") for text in BREAKS],
    ),
    Row("I-05", "paths in models' names", odd_model, PATHS),
    Row("I-06", "what the bus reads, in names", wild_model, SUBJECTS),
    Row("I-07", "what Redis reads, at length", large_field, ["user", "prompt_cache_key", "safety_identifier"]),
    Row("I-08", "forged lines in logs", forged_line, LOG_LINES),
    Row("I-09", "templates", literal, TEMPLATES),
    Row("I-10", "markup in pages", markup, MARKUP),
    Absent("I-11", "a guardrail that is gone around", "there are no guardrails"),
    Row("I-12", "breaks in what is configured", breaks_in_configuration, CONFIGURED),
    Row("I-13", "names that look alike", odd_model, UNICODE),
    Row("I-14", "bodies of other types", another_type, TYPED),
    Row(
        "I-15",
        "files that others could read or write",
        private_place,
        ["", "spool", "logs", "nats", "redis", "clickhouse", "secrets.json", "stack.json"],
    ),
]
