"""What is said of credentials."""

import json

from services.admin.public.documents.access import auth, resource
from tests.unit.services.admin.public.documents.sample import BASE, public


def test_a_resource_is_what_its_address_says_and_names_no_server() -> None:
    for path in ("", "/mcp"):
        found = json.loads(resource(path)(public()))
        assert found["resource"] == BASE + path
        assert "authorization_servers" not in found
        assert found["bearer_methods_supported"] == ["header"]


def test_it_is_said_that_agents_cant_register() -> None:
    text = auth(public())
    assert "can't register" in text
    for name in ("register_uri", "claim_uri", "revocation_uri"):
        assert f"no `{name}`" in text
