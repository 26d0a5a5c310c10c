"""What the sandbox plays on request is what the public documents and the playground say of it."""

from services.admin.public.documents import guidance
from services.admin.public.pages import playground
from services.edge.sandbox.scenarios import SCENARIOS


def test_documents_name_all_that_the_sandbox_plays() -> None:
    assert {name for name, _ in guidance.SCENARIOS} == SCENARIOS.keys()


def test_the_playground_offers_all_that_the_sandbox_plays() -> None:
    assert playground.CASES.keys() - {""} == SCENARIOS.keys()
