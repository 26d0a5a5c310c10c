import pytest
from anthropic.types import ModelInfo
from google.genai import models
from google.genai.types import Model as GoogleModel
from openai.types import Model

from services.edge.model_list import (
    anthropic_list,
    anthropic_model,
    google_model,
    google_page,
    openai_list,
    openai_model,
)

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


def test_googles_shape() -> None:
    told = models._Model_from_mldev(google_model("vendor/a", converses=True))
    model = GoogleModel._from_response(response=told, kwargs={})
    assert model.name == "models/vendor/a"
    assert model.supported_actions == ["generateContent", "streamGenerateContent"]
    assert google_model("a", converses=False)["supportedGenerationMethods"] == []


def test_googles_pages() -> None:
    assert google_page(NAMES, {}) == (NAMES, "")
    assert google_page(NAMES, {"pageSize": "100000"}) == (NAMES, "")
    seen, token = [], ""
    while True:
        page, token = google_page(NAMES, {"pageSize": "3", "pageToken": token})
        seen += page
        if not token:
            break
    assert seen == NAMES
    assert google_page([], {"pageToken": google_page(NAMES, {"pageSize": "1"})[1]}) == ([], "")
    for query in ({"pageSize": "0"}, {"pageSize": "x"}, {"pageToken": "!"}, {"pageToken": "_w"}):
        with pytest.raises(ValueError):
            google_page(NAMES, query)


@pytest.mark.parametrize("limit", ["0", "1001", "x"])
def test_bad_pages(limit: str) -> None:
    with pytest.raises(ValueError):
        anthropic_list(NAMES, {"limit": limit})
