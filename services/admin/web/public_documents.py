"""Serves public documents: the one place that knows ETag, 304, HEAD, OPTIONS, CORS, Link, Cache-Control and Vary.

Pure ASGI, in front of the application: a document that hasn't changed is bytes that are kept. It decides how long
copies may be used, shorter when a price is about to change by itself. It must not know what any document says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from oneapi.runtime import etags
from oneapi.runtime.asgi import AsgiApp, Receive, Scope, Send
from services.admin.clock import now_ms
from services.admin.public.document import LIVE_S, Document, Representation
from services.admin.public.reading import PublicReader
from services.admin.public.site import Public
from services.admin.web import problems
from services.admin.web.negotiation import choose
from services.admin.web.problems import Problem

RawHeaders = list[tuple[bytes, bytes]]

CORS: RawHeaders = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Link, X-Catalog-Revision"),
]
_PREFLIGHT: RawHeaders = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-headers", b"Content-Type, If-None-Match"),
    (b"access-control-max-age", b"86400"),
]
FOR_ONE = b"Authorization, Cookie"
"""`Vary` of what depends on who asks."""
AGENT_MODE = "agent"
"""`?mode=agent` asks for the form that programs read, of a page that has one."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The bytes of one representation, and the headers of its answers but for what depends on the time.

    `whole` are those that an answer with the bytes has besides.
    """

    body: bytes
    etag: bytes
    headers: RawHeaders
    whole: RawHeaders


@dataclass(frozen=True, slots=True)
class DocumentRoute:
    """What the metrics call it."""

    path: str


class PublicDocuments:
    """In front of `app`, which gets every request that is for no document. `link` is the `Link` header of pages."""

    def __init__(self, app: AsgiApp, reader: PublicReader, documents: Sequence[Document]) -> None:
        self._app = app
        self._reader = reader
        self._documents = {document.path: document for document in documents}
        self._routes = {document.path: DocumentRoute(document.path) for document in documents}
        self._links = tuple(
            (document.rel, document.path, document.media_type) for document in documents if document.rel
        )
        self._public: Public | None = None
        self._rendered: dict[tuple[str, int], Rendered] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        document = self._documents.get(scope["path"])
        method = scope["method"]
        if document is None or method in document.beside or (document.for_anyone and asks_for_more(scope)):
            await self._app(scope, receive, send)
            return
        scope["route"] = self._routes[document.path]
        if method == "OPTIONS":
            await _answer(send, 204, [*_PREFLIGHT, (b"access-control-allow-methods", _methods(document))], b"")
        elif method not in {"GET", "HEAD"}:
            allowed = HTTPException(405, headers={"allow": _methods(document).decode()})
            await _refuse(problems.of_http(allowed), scope, receive, send)
        else:
            try:
                await self._get(document, scope, send)
            except Problem as problem:
                await _refuse(problem, scope, receive, send)
            except Exception as error:  # nobody else would answer  # noqa: BLE001
                await _refuse(problems.of_unexpected(error), scope, receive, send)

    async def _get(self, document: Document, scope: Scope, send: Send) -> None:
        request_headers: dict[bytes, bytes] = dict(scope["headers"])
        place = _place(document, request_headers, scope["query_string"])
        if place is None:
            raise Problem(406, "not_acceptable", "This document has no form that Accept names.")
        public = await self._reader.current()
        rendered = self._render(public, document, place)
        lasting = cache_control(document.max_age_s, public)
        status, headers, body = answer_with(rendered, request_headers.get(b"if-none-match"), lasting)
        await _answer(send, status, headers, b"" if scope["method"] == "HEAD" else body)

    def _render(self, public: Public, document: Document, place: int) -> Rendered:
        if public is not self._public:
            self._public = public
            self._rendered.clear()
        key = (document.path, place)
        rendered = self._rendered.get(key)
        if rendered is None:
            form = document.representations[place]
            rendered = render(public, form, vary=_vary(document))
            if form.media_type.startswith("text/html"):
                rendered.headers.append((b"link", self._link(public)))
            self._rendered[key] = rendered
        return rendered

    def _link(self, public: Public) -> bytes:
        links = [f'<{public.site.url(path)}>; rel="{rel}"; type="{_essence(kind)}"' for rel, path, kind in self._links]
        return ", ".join(links).encode()


def asks_for_more(scope: Scope) -> bool:
    """Whether a GET says who asks, or what in particular is asked for."""
    return scope["method"] in {"GET", "HEAD"} and (
        bool(scope["query_string"]) or any(name in {b"authorization", b"cookie"} for name, _ in scope["headers"])
    )


def answer_with(rendered: Rendered, if_none_match: bytes | None, cache_control: bytes) -> tuple[int, RawHeaders, bytes]:
    """Status, headers and body: 304 for a reader that has these bytes already."""
    lasting = (b"cache-control", cache_control)
    if etags.has(if_none_match, rendered.etag):
        return 304, [lasting, *rendered.headers], b""
    return 200, [lasting, *rendered.headers, *rendered.whole], rendered.body


def render(public: Public, representation: Representation, vary: bytes = b"") -> Rendered:
    """The representation's bytes with their headers. `vary` names what else they depend on."""
    body = representation.render(public).encode()
    etag = etags.tag_of(body)
    headers = [
        (b"etag", etag),
        (b"x-catalog-revision", public.view.revision.encode()),
        *CORS,
        *((name.encode(), value.encode()) for name, value in representation.headers(body)),
    ]
    if vary:
        headers.append((b"vary", vary))
    whole = [(b"content-type", representation.media_type.encode()), (b"content-length", b"%d" % len(body))]
    return Rendered(body, etag, headers, whole)


def _vary(document: Document) -> bytes:
    if document.for_anyone:
        return FOR_ONE
    return b"Accept" if len(document.representations) > 1 else b""


def _essence(media_type: str) -> str:
    return media_type.partition(";")[0]


def _place(document: Document, headers: Mapping[bytes, bytes], query: bytes) -> int | None:
    forms = document.representations
    if len(forms) > 1 and b"mode=" + AGENT_MODE.encode() in query.split(b"&"):
        return len(forms) - 1
    # A document of one form is sent whatever is asked for, as RFC 9110 allows: a link must not fail for its reader.
    return (
        0 if len(forms) == 1 else choose(headers.get(b"accept", b"").decode("latin-1"), [f.media_type for f in forms])
    )


def _methods(document: Document) -> bytes:
    return ", ".join(["GET", "HEAD", "OPTIONS", *document.beside]).encode()


def cache_control(max_age_s: int, public: Public) -> bytes:
    """How long copies may be used: less than usual when a price changes by itself before."""
    seconds = max_age_s
    changes_at_ms = public.view.changes_at_ms
    if seconds <= LIVE_S and changes_at_ms is not None:
        seconds = max(min(seconds, (changes_at_ms - now_ms()) // 1000), 0)
    return b"public, max-age=%d" % seconds


async def _answer(send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
    start: dict[str, Any] = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    await problems.respond(problem, scope["state"]["request_id"])(scope, receive, send)
