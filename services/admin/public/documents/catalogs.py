"""Lists of what there is, for programs: RFC 9727's catalog of APIs, a site map, and a map of structured data.

It decides the relations by which an API points to its descriptions. What is listed is what the registries hold.
"""

from typing import Any
from xml.sax.saxutils import escape

from services.admin.public.document import JSON, SLOW_S, Document, Headers, Representation, document
from services.admin.public.pretty import pretty_json
from services.admin.public.routes import INFERENCE, ROUTES, SANDBOX, Auth, Group
from services.admin.public.site import Listed, Public, Site

API_CATALOG = "/.well-known/api-catalog"
LINKSET = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
XML = "application/xml; charset=utf-8"
_SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
_SCHEMA_ORG = "https://schema.org"
_MCP_CARD = "/mcp/server-card"

_APIS = tuple(
    dict.fromkeys(
        (
            *(route.path for route in INFERENCE if not route.parameters),
            "/v1/models",
            "/v1beta/models",
            *(route.path for route in ROUTES if route.group is Group.TOOLS),
            *(route.path for route in SANDBOX),
            *(route.path for route in ROUTES if route.group is Group.DISCOVERY),
            "/api/status",
        )
    )
)


def api_catalog(public: Public) -> str:
    """Every API with where it is described: RFC 9727 as a linkset of RFC 9264."""
    site = public.site
    own = {"anchor": site.url(API_CATALOG), "item": [{"href": site.url(path)} for path in _APIS]}
    return pretty_json({"linkset": [own, *(_described(site, path) for path in _APIS)]})


def _described(site: Site, path: str) -> dict[str, Any]:
    keys = {route.path for route in ROUTES if route.auth is not Auth.NONE}
    machine, words = ["/openapi.json"], ["/api.md"]
    if path == "/mcp":
        machine = [_MCP_CARD]
    if path.startswith("/sandbox/"):
        words = ["/sandbox"]
    meta = ["/.well-known/oauth-protected-resource" + ("/mcp" if path == "/mcp" else "")] if path in keys else []
    found = {
        "service-desc": _targets(site, machine),
        "service-doc": _targets(site, words),
        "service-meta": _targets(site, meta),
        "status": [{"href": site.url("/readyz"), "type": JSON}],
    }
    return {"anchor": site.url(path), **{relation: targets for relation, targets in found.items() if targets}}


def _targets(site: Site, paths: list[str]) -> list[dict[str, str]]:
    return [
        {"href": site.url(each.path), "type": each.media_type.removesuffix("; charset=utf-8"), "title": each.title}
        for each in site.documents
        if each.path in paths
    ]


def _catalogs_links(_body: bytes) -> Headers:
    """What RFC 9727 wants of an answer to HEAD."""
    links = [f'<{API_CATALOG}>; rel="api-catalog"', *(f'<{path}>; rel="item"' for path in _APIS)]
    return (("link", ", ".join(links)),)


def sitemap(public: Public) -> str:
    """The documents, as sitemaps.org has it."""
    places = "\n".join(f"  <url><loc>{escape(public.site.url(each.path))}</loc></url>" for each in _shown(public.site))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{_SITEMAPS}">\n{places}\n</urlset>\n'


def schemamap(public: Public) -> str:
    """What a program reads without parsing prose, in the words of schema.org."""
    site = public.site
    sets = [
        {
            "@type": "Dataset",
            "name": each.title,
            "description": each.note,
            "url": site.url(each.path),
            "encodingFormat": each.media_type.partition(";")[0],
        }
        for each in _shown(site)
        if "json" in each.media_type
    ]
    catalog = {
        "@context": _SCHEMA_ORG,
        "@type": "DataCatalog",
        "name": site.name,
        "url": site.url("/"),
        "version": public.view.revision,
        "dataset": sets,
    }
    return pretty_json(catalog)


def _shown(site: Site) -> list[Listed]:
    """What isn't only another address of something."""
    return [each for each in site.documents if each.group or each.rel]


DOCUMENTS = (
    Document(
        path=API_CATALOG,
        title="API catalog",
        note="the APIs and where they are described (RFC 9727)",
        representations=(Representation(media_type=LINKSET, render=api_catalog, headers=_catalogs_links),),
        max_age_s=SLOW_S,
        group="Discovery",
        rel="api-catalog",
    ),
    document(
        "/sitemap.xml", XML, sitemap, "Site map", "every public document", SLOW_S, group="Discovery", rel="sitemap"
    ),
    document(
        "/schemamap.json", JSON, schemamap, "Map of data", "every document that is data", SLOW_S, group="Discovery"
    ),
)
