"""P-07: paths that a proxy, a router and a framework may read in different ways."""

from tests.security.wire import MANAGER, NONE, OPENAI, PROBLEM, Attack, attack, get

NOWHERE = (
    "/v1/../api/keys", "/v1/%2e%2e/api/keys", "/v1/..%2fapi/keys", "/v1/%252e%252e/api/keys", "/v1/./models",
    "//api/keys", "/v1//models", "/v1/models%00", "/v1/models;x=1", "/v1\\..\\api", "/v1/%c0%ae%c0%ae/api/keys",
    "/%76%31/models", "/v1/receipts/..", "/v1/receipts/%00", "/v1/chat/completions/", "/v1/nothing", "/metrics",
    "/V1/..", "*", "/sandbox/v1/..", "/v1/chat/completions%20", "/v1/chat%2fcompletions", "/v1/chat/completions;a",
    "/v1/chat/completions%0a", "/V1/chat/completions/..", "/v1/chat/Completions", "/v1/chat/completions/../models",
    "/v1/models/..%5c..%5capi", "/v1/responses/x/../../models", "/v1/%ef%bc%8e%ef%bc%8e/api/keys",
    "/v1/..;/api/keys", "/healthz/", "/healthz/../api/keys", "/healthz%00", "/readyz.json", "/.//api/keys",
)  # fmt: skip
NOWHERE_IN_API = (
    "/api/../v1/models", "/api/./keys", "/api//keys", "/api/keys%00", "/api/keys;x", "/api/%6beys", "/api/keys/",
    "/API/keys", "/V1/models", "/api/keys/..", "/api/prices/..%2Fx", "/mcp/", "/.env", "/config_dump",
    "/api/channels/'OR'1", "/api/receipts/%ff", "/api/keys.json", "/api/keys/%2e", "/api/Keys", "/api\\keys", "/Mcp",
    "/mcp%2f", "/mcp/..", "/api/keys%ff", "/api/keys/../../etc/passwd",
)  # fmt: skip

PLACES_OF_PATHS: list[Attack] = [
    *(attack(f"path {path}", get(path), 404, shape=OPENAI if path.startswith("/v1") else NONE) for path in NOWHERE),
    *(
        attack(f"path {path}", get(path, MANAGER), 404, shape=PROBLEM if path.startswith("/api/") else NONE)
        for path in NOWHERE_IN_API
    ),
    attack("encoded /api", get("/%61pi/keys", MANAGER), 404),
    attack("model that climbs", get("/v1/models/%2e%2e/%2e%2e/api/keys"), 404),
    attack("model with CRLF", get("/v1/models/a%0d%0ax:y"), 404),
    attack("model with NUL", get("/v1/models/%00"), 404),
    attack("model of 4 KB", get("/v1/models/" + "a" * 4_096), 404),
    attack("SQL in a receipt", get("/v1/receipts/'%20OR%201=1--"), 404),
    attack("wildcard in a receipt", get("/v1/receipts/*"), 404),
    attack("SQL in a report", get("/api/usage?group_by=model;DROP", MANAGER), 422, shape=PROBLEM),
    attack("NUL in a report", get("/api/usage?model=%00", MANAGER), 422, shape=PROBLEM),
    attack("unknown parameter", get("/api/keys?x=1", MANAGER), 422, shape=PROBLEM),
    attack("huge limit", get("/api/keys?limit=99999999999999999999", MANAGER), 422, shape=PROBLEM),
    attack("negative limit", get("/api/keys?limit=-1", MANAGER), 422, shape=PROBLEM),
    attack("cursor of another kind", get("/api/keys?cursor=AAAA", MANAGER), 422, shape=PROBLEM),
    attack("broken percent sign in the query", get("/api/keys?name=%zz", MANAGER), 200, 422, shape=NONE),
]
