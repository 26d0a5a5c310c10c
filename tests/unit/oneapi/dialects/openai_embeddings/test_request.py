import json

import pytest

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.openai_embeddings.request import inspect, prepare


@pytest.mark.parametrize(("given", "count"), [("a", 1), (["a", "b"], 2), ([1, 2, 3], 3), ([[1], [2]], 2)])
def test_inputs(given: object, count: int) -> None:
    body = json.dumps({"model": "m", "input": given}).encode()
    facts = inspect(body)
    assert (facts.messages, facts.max_output, facts.prompt_bytes) == (count, 0, len(body))
    assert prepare(body, facts, "m", max_output=5) is body


@pytest.mark.parametrize("given", ["", [], None, 7, {}])
def test_nothing_to_embed_is_refused(given: object) -> None:
    with pytest.raises(GatewayError) as refused:
        inspect(json.dumps({"model": "m", "input": given}).encode())
    assert (refused.value.status, refused.value.param) == (400, "input")
