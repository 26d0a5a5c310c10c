"""The OpenAPI document, as its validator reads it."""

import json
from typing import Any

from openapi_spec_validator import validate

from services.admin.public.documents.openapi import description, openapi, twin
from services.admin.public.openapi.operations import MAX_EXAMPLES
from services.admin.public.registry import DOCUMENTS
from services.admin.public.routes import ROUTES, Auth
from tests.unit.services.admin.public.documents.sample import BASE, HOSTILE, public
from tests.unit.services.admin.public.views import offer

Document = dict[str, Any]


def operations(document: Document) -> dict[tuple[str, str], Document]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "head"
    }


def test_it_is_valid_and_says_where_it_holds() -> None:
    document = json.loads(openapi(public(offer("m"), offer(HOSTILE))))
    validate(document)
    assert document["openapi"] == "3.1.1"
    assert document["servers"] == [{"url": BASE}]
    assert document["info"]["version"] == "1.2.3"
    assert document["x-catalog-revision"] == "rev"


def test_it_has_every_route_and_every_document() -> None:
    found = operations(description(public()))
    assert found.keys() == {(route.method, route.path) for route in ROUTES} | {
        ("GET", document.path) for document in DOCUMENTS
    }
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names)
    for route in ROUTES:
        assert found[route.method, route.path]["operationId"] == route.operation_id


def test_each_operation_says_what_it_needs() -> None:
    found = operations(description(public()))
    for route in ROUTES:
        operation = found[route.method, route.path]
        ways = [name for way in operation["security"] for name in way]
        expected = {Auth.NONE: None, Auth.RELAY_KEY: "relayKey", Auth.MANAGEMENT: "managementToken"}[route.auth]
        assert (ways[0] if ways else None) == expected
        if route.auth is Auth.RELAY_KEY:
            assert {"401", "429", "503"} <= operation["responses"].keys()
            assert operation["responses"]["429"]["headers"]["Retry-After"]
    assert {"402", "404"} <= found["POST", "/v1/messages"]["responses"].keys()


def test_models_are_examples_and_no_choice() -> None:
    many = [offer(f"m{number}") for number in range(9)]
    found = operations(description(public(*many, offer("e", endpoints=("embeddings",)))))

    def model(path: str) -> Document:
        body = found["POST", path]["requestBody"]["content"]["application/json"]["schema"]
        schema: Document = body["properties"]["model"]
        return schema

    assert model("/v1/chat/completions")["examples"] == [f"m{number}" for number in range(MAX_EXAMPLES)]
    assert model("/v1/embeddings")["examples"] == ["e"]
    assert "enum" not in model("/v1/chat/completions")


def test_rendering_changes_nothing_that_is_kept() -> None:
    first = public(offer("m"))
    assert openapi(first) == openapi(first)
    assert twin(first) == twin(first)
    assert "/v1/messages" not in first.site.management()["paths"]


def test_its_twin_has_a_section_for_each_operation() -> None:
    given = public(offer(HOSTILE))
    headings = {line for line in twin(given).split("\n") if line.startswith("## ")}
    assert headings >= {f"## {each['operationId']}" for each in operations(description(given)).values()}
