import pytest
from anthropic.types import ModelInfo
from openai.types import Model

from services.edge.model_list import anthropic_list, anthropic_model, openai_list, openai_model

NAMES = ["a", "b", "c", "d"]


def test_shapes_are_the_sdks() -> None:
    Model.model_validate(openai_model("a"), strict=True)
    assert ModelInfo.model_validate(anthropic_model("a")).id == "a"
    assert [row["id"] for row in openai_list(NAMES)["data"]] == NAMES


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        ({}, NAMES, False),
        ({"limit": "2"}, ["a", "b"], True),
        ({"limit": "2", "after_id": "b"}, ["c", "d"], False),
        ({"limit": "2", "before_id": "d"}, ["b", "c"], True),
        ({"after_id": "z"}, [], False),
    ],
)
def test_pages(query: dict[str, str], ids: list[str], more: bool) -> None:
    page = anthropic_list(NAMES, query)
    assert [row["id"] for row in page["data"]] == ids
    assert page["has_more"] == more
    assert (page["first_id"], page["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))


@pytest.mark.parametrize("limit", ["0", "1001", "x"])
def test_bad_pages(limit: str) -> None:
    with pytest.raises(ValueError):
        anthropic_list(NAMES, {"limit": limit})
