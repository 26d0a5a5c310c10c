"""How documents are answered, without an application around."""

from collections.abc import Sequence
from typing import Any

from oneapi.catalog.public.view import PublicView
from oneapi.runtime.asgi import Receive, Scope, Send
from services.admin.clock import now_ms
from services.admin.public.document import HTML, JSON, LIVE_S, MARKDOWN, SLOW_S, Document, Representation, document
from services.admin.public.site import Public
from services.admin.web.public_documents import PublicDocuments
from tests.unit.services.admin.public.views import SITE

ELSE = 299


class Answer:
    def __init__(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = {name.decode(): value.decode() for name, value in headers}
        self.body = body


class Bench:
    """Documents before an application that answers everything with `ELSE`; counts how often one is made."""

    def __init__(self) -> None:
        self.made = 0
        self.fails = False
        self.public = self.state("one")
        page = Document(
            path="/page", title="Page", note="n", max_age_s=SLOW_S, rel="home", beside=("POST",),
            representations=(
                Representation(media_type=HTML, render=self.render, headers=lambda body: (("x-size", str(len(body))),)),
                Representation(media_type=MARKDOWN, render=lambda public: f"# {public.view.revision}"),
            ),
        )  # fmt: skip
        plain = document("/live", JSON, self.render, "Live", "n", LIVE_S, for_anyone=True)
        self.documents = PublicDocuments(self.app, self, [page, plain])  # type: ignore[arg-type]

    @staticmethod
    def state(revision: str, changes_at_ms: int | None = None) -> Public:
        return Public(site=SITE, view=PublicView(revision=revision, offers=(), tools=(), changes_at_ms=changes_at_ms))

    async def current(self) -> Public:
        if self.fails:
            raise OSError
        return self.public

    def render(self, public: Public) -> str:
        self.made += 1
        return f"<p>{public.view.revision}</p>"

    async def app(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": ELSE, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, path: str, method: str = "GET", query: bytes = b"", **headers: str) -> Answer:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        scope = {
            "type": "http", "method": method, "path": path, "query_string": query, "state": {"request_id": "req"},
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        await self.documents(scope, receive, send)
        start, end = sent
        return Answer(start["status"], start["headers"], end["body"])


async def test_a_document_is_made_once_for_each_state() -> None:
    bench = Bench()
    first, second = await bench.ask("/live"), await bench.ask("/live")
    assert (first.status, first.body, bench.made) == (200, b"<p>one</p>", 1)
    assert first.headers == second.headers
    bench.public = bench.state("two")
    changed = await bench.ask("/live", if_none_match=first.headers["etag"])
    assert (changed.status, changed.body) == (200, b"<p>two</p>")
    same = await bench.ask("/live", if_none_match=changed.headers["etag"])
    assert (same.status, same.body) == (304, b"")
    assert "content-type" not in same.headers
    assert same.headers["x-catalog-revision"] == "two"


async def test_a_form_for_each_reader() -> None:
    bench = Bench()
    page = await bench.ask("/page", accept="text/html")
    assert (page.body, page.headers["vary"], page.headers["x-size"]) == (b"<p>one</p>", "Accept", "10")
    assert page.headers["link"] == '<https://gw.example/page>; rel="home"; type="text/html"'
    text = await bench.ask("/page", accept="text/markdown")
    assert (text.body, text.headers["content-type"]) == (b"# one", MARKDOWN)
    assert "link" not in text.headers
    assert (await bench.ask("/page", query=b"x=1&mode=agent", accept="text/html")).body == b"# one"
    assert (await bench.ask("/page", accept="image/png")).status == 406
    # A document of one form goes to everybody.
    assert (await bench.ask("/live", accept="image/png")).status == 200


async def test_methods() -> None:
    bench = Bench()
    head = await bench.ask("/page", "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "10")
    assert (await bench.ask("/page", "POST")).status == ELSE
    refused = await bench.ask("/live", "POST")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    asked = await bench.ask("/page", "OPTIONS")
    assert (asked.status, asked.headers["access-control-allow-methods"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert (await bench.ask("/page/", "GET")).status == ELSE


async def test_who_asks_for_more_is_the_applications() -> None:
    bench = Bench()
    assert (await bench.ask("/live")).headers["vary"] == "Authorization, Cookie"
    assert (await bench.ask("/live", query=b"a=1")).status == ELSE
    assert (await bench.ask("/live", authorization="Bearer x")).status == ELSE
    assert (await bench.ask("/live", "HEAD", cookie="a=b")).status == ELSE
    assert (await bench.ask("/live", "OPTIONS", cookie="a=b")).status == 204
    assert (await bench.ask("/page", authorization="Bearer x")).status == 200


async def test_copies_of_what_is_about_to_change_are_kept_for_less() -> None:
    bench = Bench()
    assert (await bench.ask("/live")).headers["cache-control"] == "public, max-age=60"
    bench.public = bench.state("two", now_ms() + 20_500)
    assert (await bench.ask("/live")).headers["cache-control"] in {f"public, max-age={left}" for left in range(10, 21)}
    assert (await bench.ask("/page")).headers["cache-control"] == "public, max-age=300"
    bench.public = bench.state("three", now_ms() - 5)
    assert (await bench.ask("/live")).headers["cache-control"] == "public, max-age=0"


async def test_a_view_that_there_is_not_is_an_error_of_the_usual_form() -> None:
    bench = Bench()
    bench.fails = True
    answer = await bench.ask("/live")
    assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
