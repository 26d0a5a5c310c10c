"""Commands that readers copy."""

import json
import shlex

import pytest

from services.admin.public.examples import NO_MODEL, body, curl, model_for, models_for
from services.admin.public.routes import INFERENCE, SANDBOX, Format, Route
from tests.unit.services.admin.public.documents.sample import BASE, HOSTILE, offer, public


def test_a_model_is_one_that_speaks_the_format() -> None:
    view = public(offer("b", "chat"), offer("a"), offer("c", "embeddings")).view
    assert models_for(view, Format.MESSAGES) == ("a", "b")
    assert model_for(view, Format.EMBEDDINGS) == "c"
    assert model_for(public().view, Format.CHAT) == NO_MODEL


@pytest.mark.parametrize("route", [*INFERENCE, *SANDBOX], ids=lambda route: route.operation_id)
def test_a_shell_takes_the_command_as_it_is_meant(route: Route) -> None:
    given = body(route, HOSTILE)
    command = curl(public().site, route, given)
    assert command.isascii()
    name, address, *arguments = shlex.split(command)
    assert (name, address) == ("curl", BASE + route.path)
    assert json.loads(arguments[-1]) == given
    assert any("Authorization" in argument for argument in arguments) is route.key
