"""The lists for programs."""

import json
import re
from dataclasses import replace

from services.admin.public.documents import catalogs
from services.admin.public.registry import DOCUMENTS
from services.admin.public.site import Public
from tests.unit.services.admin.public.documents.sample import BASE, SITE, public


def test_the_catalog_of_apis_is_a_linkset() -> None:
    found = json.loads(catalogs.api_catalog(public()))["linkset"]
    own, *apis = found
    assert own["anchor"] == BASE + catalogs.API_CATALOG
    assert [each["href"] for each in own["item"]] == [each["anchor"] for each in apis]
    for context in found:
        for relation, targets in context.items():
            if relation != "anchor":
                assert targets
                assert all(target["href"].startswith(BASE) and "rel" not in target for target in targets)
    chat = next(each for each in apis if each["anchor"].endswith("/v1/chat/completions"))
    assert chat["service-desc"][0]["type"] == "application/vnd.oai.openapi+json;version=3.1"
    assert {"service-doc", "service-meta", "status"} <= chat.keys()
    free = next(each for each in apis if "/sandbox/" in each["anchor"])
    assert "service-meta" not in free


def test_an_answer_to_head_links_what_is_in_it() -> None:
    document = next(each for each in DOCUMENTS if each.path == catalogs.API_CATALOG)
    (name, value), *more = document.representations[0].headers(b"")
    assert (name, more) == ("link", [])
    assert '</.well-known/api-catalog>; rel="api-catalog"' in value
    assert '</v1/responses>; rel="item"' in value


def test_the_site_map_has_every_document_that_is_no_other_address() -> None:
    text = catalogs.sitemap(public(site=replace(SITE, base_url="https://gw.example/a&b")))
    places = re.findall(r"<loc>([^<]*)</loc>", text)
    assert "https://gw.example/a&amp;b/llms.txt" in places
    assert "https://gw.example/a&amp;b/.well-known/llms.txt" not in places
    assert len(set(places)) == len(places) > 10


def test_the_map_of_data_has_what_is_json() -> None:
    given: Public = public()
    found = json.loads(catalogs.schemamap(given))
    kinds = {each["url"].removeprefix(BASE): each["encodingFormat"] for each in found["dataset"]}
    assert kinds["/openapi.json"] == "application/vnd.oai.openapi+json"
    assert "/llms.txt" not in kinds
    assert found["version"] == given.view.revision
