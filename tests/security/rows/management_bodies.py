"""X: bodies of the management API that no resource takes."""

from tests.security.table import Absent, Row
from tests.security.wire import PROBLEM, Attack, api, attack, check

OPERATOR = "/api/accounts/acc_operator/credits"
WINDOW = {"timezone": "../../etc/passwd", "days": ["mon"], "from": "00:00", "to": "01:00", "input": "1"}


def body(name: str, method: str, target: str, content: object, *statuses: int) -> Attack:
    return attack(name, api(method, target, content), *(statuses or (422,)), shape=PROBLEM)


def price(**fields: object) -> Attack:
    return body(f"price {fields!r:.30}", "PUT", "/api/prices/sandbox", fields)


def key(**fields: object) -> Attack:
    return body(f"key with {fields!r:.30}", "POST", "/api/keys", {"name": "x", **fields})


BODIES = [
    body("same name twice", "POST", "/api/accounts", b'{"name":"x","name":"y"}', 400),
    body("same name twice inside", "POST", "/api/keys", b'{"name":"x","limits":{"rpm":1,"rpm":2}}', 400),
    body("surrogate in a name", "POST", "/api/accounts", b'{"name":"\\ud800"}', 400),
    body("NUL in a name", "POST", "/api/accounts", b'{"name":"a\\u0000"}', 400),
    body("deep", "POST", "/api/accounts", b"[" * 100_000, 400),
    body("many values", "POST", "/api/accounts", b'{"name":[' + b"0," * 60_000 + b"0]}", 400),
    body("large", "POST", "/api/accounts", b'"' + b"x" * 2**20 + b'"', 413),
    body("NaN", "POST", "/api/keys", b'{"name":"x","limits":{"rpm":NaN}}', 400),
    body("1e999", "POST", "/api/keys", b'{"name":"x","limits":{"rpm":1e999}}', 400),
    body("UTF-16", "POST", "/api/accounts", '{"name":"x"}'.encode("utf-16"), 400),
    body("what follows it", "POST", "/api/accounts", b'{"name":"x"} x', 400),
    body("a list", "POST", "/api/accounts", [{"name": "x"}]),
    body("a text", "POST", "/api/accounts", "x"),
    body("nothing", "POST", "/api/accounts", b""),
    body("number as a flag", "POST", "/api/accounts", {"name": "x", "unlimited": 1}),
    body("text as a flag", "POST", "/api/accounts", {"name": "x", "unlimited": "true"}),
    body("number as a name", "POST", "/api/accounts", {"name": 1}),
    body("name of 201 characters", "POST", "/api/accounts", {"name": "x" * 201}),
    body("price of a model with a line break", "PUT", "/api/prices/a%0Ab", {"input": "1"}, 404),
    *(price(input=text) for text in ("-1", "1e3", "0." + "1" * 100, "99999999999999999999", 1, 0.5)),
    price(input="1", time_windows=[WINDOW]),
    price(input="1", tiers=[{"above_input_tokens": 10**30, "input": "1"}]),
    price(),
    key(budget={"amount_usd": "-5", "window": "day"}),
    key(budget={"amount_usd": "0", "window": "day"}),
    key(budget={"amount_usd": "5", "window": "never"}),
    key(budget={"amount_usd": "5", "timezone": "../etc/localtime"}),
    key(limits={"rpm": 10**30}),
    key(limits={"rpm": True}),
    key(limits={"rpm": 0}),
    key(limits={"rpm": 1.0}),
    key(models=["a\nb"]),
    key(models=["x"] * 1_001),
    key(allowed_ips=["0.0.0.0/0; DROP"]),
    key(expires_at="tomorrow"),
    key(disconnect="keep"),
    key(strict=1),
    key(spent="0"),
    body("credit without a reason", "POST", OPERATOR, {"amount_usd": "1"}),
]

ROWS: list[Row | Absent] = [Row("X-16", "bodies that no resource takes", check, BODIES)]
