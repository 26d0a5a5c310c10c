"""Commands that readers copy."""

import json
import shlex

import pytest

from services.admin.public.examples import KEY, NO_MODEL, SANDBOX_MODEL, body, command, curl, model_for, models_for
from services.admin.public.routes import INFERENCE, SANDBOX, Format, Route
from tests.unit.services.admin.public.documents.sample import HOSTILE
from tests.unit.services.admin.public.views import BASE, offer, public


def test_a_model_is_one_that_speaks_the_format() -> None:
    view = public(offer("b"), offer("a", endpoints=()), offer("c", endpoints=("embeddings",))).view
    assert models_for(view, Format.MESSAGES) == ("a", "b")
    assert model_for(view, Format.EMBEDDINGS) == "c"
    assert model_for(public(offer("c", endpoints=("embeddings",))).view, Format.CHAT) == NO_MODEL


def test_the_built_in_model_is_named_first_then_one_with_a_price() -> None:
    unpriced, priced = offer("a", price=None), offer("b")
    pictures = offer("a", endpoints=("images",))
    assert model_for(public(unpriced, pictures, priced).view, Format.CHAT) == "b"
    assert model_for(public(unpriced).view, Format.CHAT) == "a"
    assert model_for(public(unpriced, priced, offer(SANDBOX_MODEL, price=None)).view, Format.MESSAGES) == SANDBOX_MODEL
    assert model_for(public(priced, offer(SANDBOX_MODEL, endpoints=("images",))).view, Format.CHAT) == "b"


def test_the_sandbox_is_asked_for_its_own_model_and_without_a_key() -> None:
    given = public(offer("m"))
    assert json.loads(shlex.split(command(given, INFERENCE[0]))[-1])["model"] == "m"
    free = command(given, SANDBOX[0])
    assert json.loads(shlex.split(free)[-1])["model"] == SANDBOX_MODEL
    assert KEY not in free


def test_a_key_is_sent_as_the_formats_clients_send_it() -> None:
    headers = {
        route.path: header
        for route in INFERENCE
        for header in shlex.split(curl(public().site, route, {}))
        if KEY in header
    }
    assert headers["/v1/messages"] == headers["/v1/messages/count_tokens"] == f"x-api-key: {KEY}"
    assert headers["/v1/chat/completions"] == headers["/v1/responses"] == f"Authorization: Bearer {KEY}"


@pytest.mark.parametrize("route", [*INFERENCE, *SANDBOX], ids=lambda route: route.operation_id)
def test_a_shell_takes_the_command_as_it_is_meant(route: Route) -> None:
    given = body(route, HOSTILE)
    command = curl(public().site, route, given)
    assert command.isascii()
    name, address, *arguments = shlex.split(command)
    assert (name, address) == ("curl", BASE + route.path)
    assert json.loads(arguments[-1]) == given
    assert any(KEY in argument for argument in arguments) is route.key
