"""The path that lists public models to anyone: OpenRouter's.

It decides that the list is made once for each state of the catalog, beside the event loop. It must not know its shape.
"""

import asyncio
import time
from collections.abc import Callable

import msgspec
from fastapi import FastAPI, Request, Response

from oneapi.catalog.public.build import public_view
from oneapi.catalog.view import CatalogView
from oneapi.runtime import etags
from services.edge import refusals
from services.edge.answers import Headers, id_headers
from services.edge.cold_answers import answer_of, arrival_of
from services.edge.openrouter_list import openrouter_list

PATH = "/openrouter/v1/models"
MAX_AGE_S = 60


class Made(msgspec.Struct, frozen=True):
    """The list of one state of the catalog, good until a price changes by itself."""

    catalog: CatalogView
    body: bytes
    tag: bytes
    until_ms: int | None

    def serves(self, catalog: CatalogView, at_ms: int) -> bool:
        """Whether it is still the truth."""
        return catalog is self.catalog and (self.until_ms is None or at_ms < self.until_ms)


class PublicModels:
    """`catalog` gives the newest view, None before there is one."""

    def __init__(self, catalog: Callable[[], CatalogView | None]) -> None:
        self._catalog = catalog
        self._made: Made | None = None
        self._turn = asyncio.Lock()

    async def current(self, at_ms: int) -> Made:
        """The list of this moment. Raises GatewayError 503."""
        async with self._turn:
            catalog = self._catalog()
            if catalog is None:
                raise refusals.service_unavailable()
            if self._made is None or not self._made.serves(catalog, at_ms):
                self._made = await asyncio.to_thread(_make, catalog, at_ms)
            return self._made


def add(app: FastAPI, models: PublicModels) -> None:
    """Adds the path."""

    @app.head(PATH, include_in_schema=False)
    @app.get(PATH, summary="Public models and their prices, as in OpenRouter's API", tags=["models"])
    async def list_public_models(request: Request) -> Response:
        at_ms = time.time_ns() // 1_000_000
        made = await models.current(at_ms)
        left_s = MAX_AGE_S if made.until_ms is None else max(min(MAX_AGE_S, (made.until_ms - at_ms) // 1000), 0)
        headers: Headers = [
            (b"cache-control", b"public, max-age=%d" % left_s),
            (b"etag", made.tag),
            (b"access-control-allow-origin", b"*"),
            (b"access-control-expose-headers", b"ETag"),
            (b"x-content-type-options", b"nosniff"),
            *id_headers(arrival_of(request).request_id),
        ]
        if etags.has(request.headers.get("if-none-match", "").encode("latin-1") or None, made.tag):
            return answer_of(304, headers, b"")
        return answer_of(200, [(b"content-type", b"application/json"), *headers], made.body)


def _make(catalog: CatalogView, at_ms: int) -> Made:
    view = public_view(catalog, (), at_ms)
    body = openrouter_list(view)
    return Made(catalog, body, etags.tag_of(body), view.changes_at_ms)
