"""A: who gets in. What a credential is, where it may be, and that every bad one is told the same."""

from tests.security.rows import credentials, logins
from tests.security.table import Absent, Row
from tests.security.wire import (
    ADMIN_ITSELF,
    ANTHROPIC,
    AUTHORIZED,
    BEHIND_THE_DOOR,
    GOOGLE,
    JSON_RPC,
    MANAGER,
    MCP_ITSELF,
    MCP_PLACE,
    NONE,
    OPENAI,
    PROBLEM,
    Attack,
    Place,
    aimed,
    attack,
    check,
    get,
    request,
    sized,
    whole,
)

MODELS = "/v1/models"
EVERYWHERE = (*BEHIND_THE_DOOR, MCP_ITSELF, ADMIN_ITSELF)


def as_(place: Place, *headers: str | bytes) -> bytes:
    """A good request with other credentials."""
    given = f"\r\n{place.credential}".encode()
    said = b"".join(b"\r\n" + (one if isinstance(one, bytes) else one.encode()) for one in headers)
    return whole(place).replace(given, said, 1)


def everywhere(name: str, *headers: str | bytes) -> list[Attack]:
    return [aimed(place, name, as_(place, *headers), 401) for place in EVERYWHERE]


SCHEMES = (
    "Bearer", "Bearer ", "Bearer  %KEY%", "Basic %KEY%", "Basic OiVLRVkl", "Digest username=%KEY%", "Token %KEY%",
    "%KEY%", "Bearer\t%KEY%", "Bearer,%KEY%", "Bearer:%KEY%", "Bearer=%KEY%", "Bearer Bearer %KEY%", "BearerX %KEY%",
    "Bearer %KEY%, Bearer %KEY%", "Bearer %KEY% x", 'Bearer "%KEY%"', "Bearer <%KEY%>", "Negotiate %KEY%", "",
)  # fmt: skip

SHAPES = (
    "%KEY%%00", "%KEY%%20", "%KEY%%", "%KEY%\\n", "%KEY%;", "%KEY%=", "%KEY%/", "%KEY%%KEY%", "/%KEY%", "x%KEY%",
    "sk-", "sk-" + "a" * 46, "sk-" + "0" * 40 + "000000", "sk-" + "a" * 508, "sk-" + "a" * 10_000, "0" * 64,
    "sk-proj-" + "a" * 48, "sk-ant-api03-" + "a" * 90, "null", "undefined", "None", "true", "0", "{}", "admin",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.", "oneapi", "router-key", "anonymous", "sandbox", "*", "%",
)  # fmt: skip

INJECTIONS = (
    "' OR (SELECT pg_sleep(8)) IS NOT NULL --", "' OR '1'='1", "sk-' UNION SELECT hash FROM keys --",
    "1; DROP TABLE keys", "\\x27", "${jndi:ldap://127.0.0.1/a}", "{{7*7}}", "#{7*7}", "{0.__class__}",
    "sk-*", "sk->", "$KV.keys.>", "keys.*.x", "../../etc/passwd", "$(sleep 8)", "`sleep 8`", "|sleep 8", "%n%n%n%s",
    "!!python/object", "__proto__", "sk-{a}", "a\x0bb",
)  # fmt: skip

HOMOGLYPHS = (
    "ѕk-", "ｓｋ－", "SK-", "Sk-", "sK-", "sk_", "sk\u2010", "sk\u2013", "s\u200bk-", "\u202esk-", "ſk-", "sk\u00ad-",
)  # fmt: skip

NAMES = ("x-api-key", "api-key", "x-goog-api-key")


def _two() -> list[Attack]:
    good, bad = "%KEY%", "sk-other"
    found = [
        *everywhere("twice the same", "authorization: Bearer sk-a", "authorization: Bearer sk-a"),
        attack("two keys", get(MODELS, AUTHORIZED, AUTHORIZED), 401),
        attack("good, then bad", get(MODELS, AUTHORIZED, "authorization: Bearer sk-other"), 401),
        attack("bad, then good", get(MODELS, "authorization: Bearer sk-other", AUTHORIZED), 401),
        attack("as a list", get(MODELS, "authorization: Bearer %KEY%, Bearer sk-other"), 401),
        attack("good and Basic", get(MODELS, AUTHORIZED, "authorization: Basic YTpi"), 401),
        attack("management token twice", get("/api/keys", MANAGER, MANAGER), 401, shape=PROBLEM),
        aimed(MCP_PLACE, "two keys", as_(MCP_PLACE, AUTHORIZED, AUTHORIZED), 401),
        aimed(MCP_ITSELF, "two keys", as_(MCP_ITSELF, AUTHORIZED, AUTHORIZED), 401),
        aimed(ADMIN_ITSELF, "two tokens", as_(ADMIN_ITSELF, MANAGER, MANAGER), 401),
    ]
    return found + [attack(f"{name} twice", get(MODELS, f"{name}: {good}", f"{name}: {bad}"), 401) for name in NAMES]


def _differ() -> list[Attack]:
    found = [attack(f"{name} differs", get(MODELS, AUTHORIZED, f"{name}: sk-other"), 401) for name in NAMES]
    found += [attack(f"{name} is empty", get(MODELS, AUTHORIZED, f"{name}:"), 401) for name in NAMES]
    found += [
        attack(f"{one} and {other} differ", get(MODELS, f"{one}: %KEY%", f"{other}: sk-other"), 401)
        for one in NAMES
        for other in NAMES
        if one < other
    ]
    found += [attack(f"{name} agrees", get(MODELS, AUTHORIZED, f"{name}: %KEY%"), 200, shape=NONE) for name in NAMES]
    found += [
        aimed(place, f"{name} differs", as_(place, AUTHORIZED, f"{name}: sk-other"), 401)
        for place in (MCP_PLACE, MCP_ITSELF)
        for name in NAMES
    ]
    return found  # fmt: skip


def _elsewhere() -> list[Attack]:
    """A good key where none is read."""
    queries = ("api_key", "key", "token", "access_token", "authorization", "apikey", "x-api-key")
    body = b'{"model":"sandbox","api_key":"%KEY%","key":"%KEY%","messages":[{"role":"user","content":"hi"}]}'
    found = [attack(f"query {name}", get(f"{MODELS}?{name}=%KEY%", "x: y"), 401) for name in queries]
    found += [
        attack("body", sized(body=body).replace(f"\r\n{AUTHORIZED}".encode(), b""), 401),
        attack("cookie", get(MODELS, "cookie: oneapi_session=%KEY%; api_key=%KEY%"), 401),
        attack("path", get("/v1/models/%KEY%", "x: y"), 401),
        attack("user part of the address", get("http://%KEY%@gw/v1/models", "x: y"), 400, 401),
        attack("Proxy-Authorization", get(MODELS, "proxy-authorization: Bearer %KEY%"), 401),
        attack("X-Authorization", get(MODELS, "x-authorization: Bearer %KEY%"), 401),
        attack("websocket protocol", get(MODELS, "sec-websocket-protocol: bearer.%KEY%"), 401),
        attack(
            "trailer",
            request(
                "POST /v1/chat/completions HTTP/1.1",
                "transfer-encoding: chunked",
                "content-type: application/json",
                "trailer: authorization",
                body=b"2\r\n{}\r\n0\r\nauthorization: Bearer %KEY%\r\n\r\n",
            ),
            401,
        ),
        attack("management token in the query", get("/api/keys?token=%ADMIN%", "x: y"), 401, shape=PROBLEM),
        attack("management token as a cookie", get("/api/keys", "cookie: oneapi_session=%ADMIN%"), 401, shape=PROBLEM),
        attack("management token as x-api-key", get("/api/keys", "x-api-key: %ADMIN%"), 401, shape=PROBLEM),
        attack("management token as Basic", get("/api/keys", "authorization: Basic %ADMIN%"), 401, shape=PROBLEM),
    ]
    return found  # fmt: skip


def _another_audience() -> list[Attack]:
    found = []
    for place in EVERYWHERE:
        other = AUTHORIZED if place.credential == MANAGER else MANAGER
        found.append(aimed(place, "credential of another part", as_(place, other), 401))
    return [
        *found,
        attack("management token on a model list", get(MODELS, MANAGER), 401),
        attack("management token as a key", get(MODELS, "x-api-key: %ADMIN%"), 401),
        attack("management token on a receipt", get("/v1/receipts/x", MANAGER), 401),
        attack("relay key on /api", get("/api/keys"), 401, shape=PROBLEM),
        attack("relay key on a login's answer", get("/api/session"), 401, shape=PROBLEM),
        attack("relay key on the status", get("/api/status"), 401, shape=PROBLEM),
    ]


def _nobody() -> list[Attack]:
    found = everywhere("nothing", "x: y")
    get_paths = {
        "/v1/models": OPENAI, "/v1/models/sandbox": OPENAI, "/v1/receipts/x": OPENAI, "/api/keys": PROBLEM,
        "/api/channels": PROBLEM, "/api/status": PROBLEM, "/api/usage": PROBLEM, "/api/logs": PROBLEM,
        "/api/balance": PROBLEM, "/api/audit": PROBLEM, "/api/users": PROBLEM, "/api/tokens": PROBLEM,
        "/api/accounts": PROBLEM, "/api/mcp-servers": PROBLEM, "/api/prices": PROBLEM, "/api/session": PROBLEM,
    }  # fmt: skip
    found += [attack(f"GET {path}", get(path, "x: y"), 401, shape=shape) for path, shape in get_paths.items()]
    found += [attack(f"GET {path}", get(path, "x: y"), 401, shape=GOOGLE)
              for path in ("/v1beta/models", "/v1beta/models/sandbox")]  # fmt: skip
    found.append(attack("Anthropic's models", get(MODELS, "anthropic-version: 2023-06-01"), 401, shape=ANTHROPIC))
    found.append(attack("GET /mcp", get("/mcp", "x: y"), 401, 405, shape=JSON_RPC))
    return found


METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "LINK", "PURGE")


def _methods() -> list[Attack]:
    """No method gets past without a credential, and none gets past the credential's check."""
    found = []
    for method in METHODS:
        for path in ("/v1/chat/completions", "/v1/models", "/mcp", "/api/keys"):
            sent = request(f"{method} {path} HTTP/1.1", "x: y")
            found.append(attack(f"{method} {path}", sent, 400, 401, 404, 405, shape=NONE))
    return found


FORGED = (
    ["x-forwarded-user: root", "x-oneapi-internal: 1"], ["x-remote-user: admin", "remote-user: admin"],
    ["x-auth-request-email: a@b", "x-auth-request-user: a"], ["x-oneapi-account: acc_operator"],
    ["x-org-id: acc_operator", "openai-organization: acc_operator"], ["x-real-ip: 127.0.0.1"],
    ["x-envoy-internal: true", "x-envoy-original-path: /healthz"], ["x-middleware-subrequest: 1"],
    ["x-original-url: /healthz"], ["forwarded: for=127.0.0.1"], ["x-key-id: %KEY%"], ["x-admin: true", "x-debug: 1"],
)  # fmt: skip


def _forged() -> list[Attack]:
    found = []
    for headers in FORGED:
        name = headers[0].partition(":")[0]
        found += [
            attack(f"{name} on /v1", get(MODELS, *headers), 401),
            attack(f"{name} on /api", get("/api/keys", *headers), 401, shape=PROBLEM),
            aimed(ADMIN_ITSELF, name, as_(ADMIN_ITSELF, *headers), 401),
            aimed(MCP_ITSELF, name, as_(MCP_ITSELF, *headers), 401),
        ]
    return found


def _dropped() -> list[Attack]:
    """`Connection` names headers of one hop: what it names may be lost, and must never be won."""
    return [
        attack("Connection: authorization on /api", get("/api/keys", MANAGER, "connection: authorization"), 401,
               shape=PROBLEM),
        attack("Connection: cookie", get("/api/keys", "cookie: oneapi_session=x", "connection: cookie"), 401,
               shape=PROBLEM),
        attack("Expect without a key", sized("expect: 100-continue").replace(f"\r\n{AUTHORIZED}".encode(), b""), 401),
    ]  # fmt: skip


ROWS: list[Row | Absent] = [
    Row("A-01", "nothing to prove who asks", check, _nobody()),
    Row(
        "A-02",
        "schemes that are none of ours",
        check,
        [
            *(attack(f"scheme {scheme!r}", get(MODELS, f"authorization: {scheme}"), 401) for scheme in SCHEMES),
            *(found for scheme in SCHEMES[:4] for found in everywhere(f"scheme {scheme!r}", f"authorization: {scheme}")
              if "%KEY%" not in scheme),
            attack("scheme in another case", get(MODELS, "authorization: bEARER %KEY%"), 200, shape=NONE),
        ],
    ),
    Row(
        "A-06",
        "almost the key",
        check,
        [
            *(attack(f"shape {text[:30]!r}", get(MODELS, f"authorization: Bearer {text}"), 401) for text in SHAPES),
            *(found for text in SHAPES[10:14] for found in everywhere(text[:20], f"authorization: Bearer {text}")),
            attack("NUL behind it", get(MODELS, b"authorization: Bearer %KEY%\0"), 400),
            attack("fullwidth digit behind it", get(MODELS, "authorization: Bearer %KEY%０".encode()), 401),
            attack("bytes that are no text", get(MODELS, b"authorization: Bearer %KEY%\xff\xfe"), 401),
        ],
    ),
    Row("A-07", "two credentials in one place", check, _two()),
    Row("A-08", "credentials in two places", check, _differ()),
    Row("A-09", "a key where none is read", check, _elsewhere()),
    Row("A-10", "a credential of another part", check, _another_audience()),
    Row("A-12", "other methods", check, _methods()),
    Row(
        "A-14",
        "keys that are words of another language",
        check,
        [
            *(attack(text, get(MODELS, f"authorization: Bearer {text}"), 400, 401) for text in INJECTIONS),
            *(attack(f"x-api-key {text}", get(MODELS, f"x-api-key: {text}"), 400, 401) for text in INJECTIONS),
            *(attack(f"token {text}", get("/api/keys", f"authorization: Bearer {text}"), 400, 401, shape=PROBLEM)
              for text in INJECTIONS),
        ],
    ),
    Row(
        "A-15",
        "prefixes that only look like ours",
        check,
        [
            attack(f"prefix {prefix!r}", get(MODELS, f"authorization: Bearer {prefix}{'a' * 46}".encode()), 401)
            for prefix in HOMOGLYPHS
        ],
    ),
    Absent("A-17", "single sign-on", "there is no single sign-on"),
    Row("A-21", "words of another proxy about who asks", check, _forged()),
    Row("A-23", "headers of one hop", check, _dropped()),
    *credentials.ROWS,
    *logins.ROWS,
]  # fmt: skip
