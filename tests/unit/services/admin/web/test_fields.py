from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from oneapi.catalog.types import MAX_AMOUNT_NANO
from services.admin.web.fields import (
    Group,
    Identity,
    ModelId,
    Name,
    PositiveUsd,
    Strict,
    Usd,
    changes,
    last4,
    unchanged,
)


def accepts(kind: Any, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Name, ["a", "Team Ü 🚀", "x" * 200], ["", " a", "a ", "a\nb", "a\x00", "a\u202eb", "x" * 201, 1, None]),
        (ModelId, ["gpt-5", "meta/llama 3", "模型"], ["", " m", "m ", "a  b", "a\nb", "x" * 257, 5]),
        (Identity, ["key_1", "a-b"], ["", "a b", "a/b", "x" * 65, "é"]),
        (Group, ["default", "*", "a.b-c_1"], ["", "a b", "**", "x" * 65]),
        (
            Usd,
            ["0", "-1", "12.500000001", "9000000"],
            ["", "1e3", "+1", " 1", "1.0000000001", "9000000.1", 1, 1.5, True],
        ),
        (PositiveUsd, ["0.000000001"], ["0", "-1", "-0"]),
    ],
    ids=["Name", "ModelId", "Identity", "Group", "Usd", "PositiveUsd"],
)
def test_what_a_field_takes(kind: Any, good: list[object], bad: list[object]) -> None:
    assert [value for value in good if not accepts(kind, value)] == []
    assert [value for value in bad if accepts(kind, value)] == []


def test_money_is_nano_usd() -> None:
    assert TypeAdapter(Usd).validate_python("9000000") == MAX_AMOUNT_NANO


def test_a_patch_holds_what_was_given() -> None:
    class Patch(Strict):
        name: str = unchanged()
        note: str | None = unchanged()

    assert changes(Patch.model_validate({})) == {}
    assert changes(Patch.model_validate({"note": None})) == {"note": None}
    with pytest.raises(ValidationError):
        Patch.model_validate({"name": None})


def test_little_is_shown_of_a_secret() -> None:
    assert last4("") == ""
    assert last4("short-secret") == "…"
    assert last4("a-much-longer-secret") == "…cret"
