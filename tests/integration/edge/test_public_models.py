"""The list of public models, as anyone gets it from an edge."""

from typing import Any

import httpx2

from tests.integration.edge.stage import Stage

PATH = "/openrouter/v1/models"


async def get(stage: Stage, **headers: str) -> httpx2.Response:
    async with stage.http() as http:
        return await http.get(PATH, headers=headers)


def models(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {model["id"]: model for model in answer.json()["data"]}


async def test_anyone_may_have_it(stage: Stage) -> None:
    await stage.channel(
        {"for-everybody": "upstream-name-of-it", "for-nobody": "x"},
        groups=("gold",),
        listed=False,
        hidden_models=("for-nobody",),
    )
    answer = await get(stage)
    found = models(answer)
    assert found["for-everybody"]["pricing"]["prompt"] == "0.000002"
    assert found["for-everybody"]["pricing"]["input_cache_read"] == "0.0000005"
    assert found["for-everybody"]["context_length"] is None
    assert "for-nobody" not in found
    for secret in ("upstream-name-of-it", stage.upstream.url, "upstream-credential"):
        assert secret not in answer.text
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_reader_that_has_it_is_told_so(stage: Stage) -> None:
    first = await get(stage)
    same = await get(stage, **{"if-none-match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    async with stage.http() as http:
        head = await http.head(PATH)
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", first.headers["etag"])
        assert (await http.post(PATH)).status_code == 405
        assert (await http.get(f"{PATH}/x")).status_code == 404
    await stage.channel({"a-newer-one": "x"})
    assert "a-newer-one" in models(await get(stage, **{"if-none-match": first.headers["etag"]}))
