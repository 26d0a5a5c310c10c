"""Command lines: what a shell reads in them."""

import json
import shlex

import pytest

from services.admin.public.pages import examples
from tests.unit.services.admin.public.pages import given

FORMATS = pytest.mark.parametrize("form", examples.FORMATS, ids=lambda form: form.name)


def words(command: str) -> list[str]:
    return shlex.split(command.replace("\\\n", ""))


@FORMATS
def test_a_line_is_one_request_to_the_configured_address(form: examples.Format) -> None:
    said = words(examples.with_key(given.public(given.offer("m")), form))
    assert said[:2] == ["curl", f"{given.BASE}/v1{form.path}"]
    assert form.key_header in said
    assert json.loads(said[-1])["model"] == "m"
    without = words(examples.without_key(given.public(), form))
    assert without[1] == f"{given.BASE}/sandbox/v1{form.path}"
    assert "KEY" not in " ".join(without)


@FORMATS
@pytest.mark.parametrize("name", given.HOSTILE)
def test_a_models_name_says_nothing_to_the_shell(form: examples.Format, name: str) -> None:
    said = words(examples.with_key(given.public(given.offer(name)), form))
    assert len(said) == 8
    assert json.loads(said[-1])["model"] == (name if len(name) <= examples.LONGEST_NAME else "sandbox")


def test_the_model_is_one_that_talks() -> None:
    picture = given.offer("a", endpoints=("images",))
    assert examples.model_of(given.public(picture, given.offer("b"), given.offer("c"))) == "b"
    assert examples.model_of(given.public(given.offer("b"), given.offer("sandbox"))) == "sandbox"
    assert examples.model_of(given.public(picture)) == "sandbox"
