import pytest

from services.admin.apply.document import BadDocument, read


def entry(text: str, **environment: str) -> dict[str, object]:
    found: dict[str, object] = read(f"channels: [{{name: c, {text}}}]", environment).sections["channels"][0]
    return {name: value for name, value in found.items() if name != "name"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x: yes", "yes"),
        ("x: 2026-01-01", "2026-01-01"),
        ("x: 2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("x: 10:30", "10:30"),
        ("x: 012", "012"),
        ("x: 1e3", "1e3"),
        ("x: 5", 5),
        ("x: -0.5", -0.5),
        ("x: true", True),
        ("x: null", None),
        ('x: "${NAME}"', "a value"),
        ('x: "pre-${NAME}-post"', "pre-a value-post"),
        ("x: $NAME", "$NAME"),
        ("x: '{{7*7}}'", "{{7*7}}"),
    ],
)
def test_scalars_are_what_json_would_make_of_them(text: str, value: object) -> None:
    assert entry(text, NAME="a value") == {"x": value}


def test_money_is_text() -> None:
    sections = read(
        """
prices: [{model: m, input: 0.10, output: 3, tiers: [{above_input_tokens: 1000, input: 1.50}]}]
keys: [{name: k, budget: [{amount_usd: 5.00}], limits: {rpm: 5}}]
mcp_servers: [{name: s, priority: 2, prices: {priority: 0.01, search: "1"}}]
""",
        {},
    ).sections
    price = sections["prices"][0]
    assert (price["input"], price["output"]) == ("0.10", "3")
    assert price["tiers"] == [{"above_input_tokens": 1000, "input": "1.50"}]
    assert sections["keys"][0]["budget"] == [{"amount_usd": "5.00"}]
    assert sections["keys"][0]["limits"] == {"rpm": 5}
    assert sections["mcp_servers"][0]["prices"] == {"priority": "0.01", "search": "1"}
    assert sections["mcp_servers"][0]["priority"] == 2


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "text",
        "accounts: [",
        "unknown: []",
        "accounts: {a: 1}",
        "accounts: [a]",
        "accounts: [{}]",
        "accounts: [{name: 5}]",
        "accounts: [{name: a}, {name: a}]",
        "accounts: [{name: a, name: b}]",
        "accounts: []\naccounts: []",
        "accounts: [{name: ${MISSING}}]",
        "accounts: [{1: 2}]",
        "prices: [{name: m}]",
        "a: !!python/object/apply:os.system ['true']",
        "accounts: !!python/name:os.system []",
        "a: 1\n---\nb: 2",
        "x" * (5 * 1024 * 1024),
    ],
    ids=lambda text: text[:30],
)
def test_what_cannot_be_used(text: str) -> None:
    with pytest.raises(BadDocument):
        read(text, {})


def test_the_same_name_elsewhere_is_another_entry() -> None:
    found = read("prices: [{model: m}, {model: m, channel: c}]\nkeys: [{name: k}, {name: k, account: a}]", {}).sections
    assert (len(found["prices"]), len(found["keys"]), found["accounts"]) == (2, 2, [])
    assert read("", {}).sections["channels"] == []
