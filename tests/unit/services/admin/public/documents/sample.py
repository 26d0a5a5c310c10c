"""A site that lists every document, all of them rendered, and a name that means harm."""

from dataclasses import replace
from functools import partial

from services.admin.application import management_schema
from services.admin.public.registry import DOCUMENTS
from services.admin.public.site import Public
from tests.unit.services.admin.public import views

BASE = "https://gw.example:8443"
HOSTILE = "x](https://evil.example) | <script>\n## heading\n```\n'; rm -rf $HOME; `id` \u202e"
SITE = replace(
    views.SITE,
    base_url=BASE,
    documents=tuple(document.listed for document in DOCUMENTS),
    management=management_schema,
)
public = partial(views.public, site=SITE)


def rendered(given: Public) -> dict[str, str]:
    """The first form of every document by its path."""
    return {document.path: document.representations[0].render(given) for document in DOCUMENTS}
