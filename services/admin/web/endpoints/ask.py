"""`/ask`: NLWeb's way to put a question to a site, in its present and its older form.

It decides which members of a request count and how an answer looks: one JSON object or a stream of events, with
`answer`, `question` and `citations` beside NLWeb's own members. It must not know how answers are found.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from services.admin.public.ask.answer import Answer, Asking
from services.admin.public.ask.index import Kind
from services.admin.web.endpoints.layer import STREAM, STREAM_HEADERS, Endpoint, Question, json_body
from services.admin.web.negotiation import choose
from services.admin.web.problems import Problem

PATH = "/ask"
VERSION = "0.55"
FORMATS = ("conv_search", "chatgpt_app")
MODES = ("list", "summarize", "generate")
SCHEMA_TYPES = {Kind.PAGE: "WebPage", Kind.MODEL: "Product", Kind.TOOL: "SoftwareApplication"}
_TEXTS = ("query", "question", "q")
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True, slots=True)
class Asked:
    """What counts of a request."""

    text: str
    form: str
    mode: str
    streaming: bool


def endpoint(asking: Asking) -> Endpoint:
    """The endpoint, to be mounted."""

    def handle(question: Question) -> Response:
        asked = _of_query(question) if question.request.method != "POST" else _of_body(question)
        return _respond(asked, asking.answer(asked.text, question.public), question.public.view.revision)

    return Endpoint(path=PATH, methods=("GET", "HEAD", "POST"), handle=handle, refuse=refuse)


def refuse(problem: Problem, _request: Request) -> Response:
    """A failure as NLWeb has it."""
    body = {"_meta": _meta("failure"), "error": {"code": problem.code, "message": problem.detail}}
    return Response(msgspec.json.encode(body), problem.status_code, problem.headers, "application/json")


def _of_query(question: Question) -> Asked:
    given = question.request.query_params
    text = next((given[name] for name in _TEXTS if name in given), "")
    mode = given.get("mode") or given.get("generate_mode")
    return _asked(question.request, text, given.get("response_format"), mode, given.get("streaming"))


def _of_body(question: Question) -> Asked:
    body = json_body(question)
    if not isinstance(body, dict):
        raise _bad("The body must be a JSON object.")
    query = next((body[name] for name in _TEXTS if name in body), "")
    prefer = body.get("prefer", {})
    if not isinstance(prefer, dict):
        raise _bad("prefer must be an object.")
    if isinstance(query, dict):
        if "text" not in query:
            raise _bad("query.text is missing.")
        query = query["text"]
    mode = prefer.get("mode") or body.get("mode") or body.get("generate_mode")
    streaming = prefer.get("streaming", body.get("streaming"))
    return _asked(question.request, query, prefer.get("response_format"), mode, streaming)


def _asked(request: Request, text: Any, form: Any, mode: Any, streaming: Any) -> Asked:
    if not isinstance(text, str):
        raise _bad("The question must be a text.")
    form, mode = form or FORMATS[0], mode or MODES[0]
    if form not in FORMATS:
        raise _bad(f"response_format must be one of {', '.join(FORMATS)}.")
    if mode not in MODES:
        raise _bad(f"mode must be one of {', '.join(MODES)}.")
    if streaming is None:
        return Asked(text, form, mode, choose(request.headers.get("accept", ""), ["application/json", STREAM]) == 1)
    wanted = str(streaming).lower()
    if wanted not in _TRUE | _FALSE:
        raise _bad("streaming must be true or false.")
    return Asked(text, form, mode, wanted in _TRUE)


def _bad(message: str) -> Problem:
    return Problem(400, "invalid_request", message)


def _respond(asked: Asked, answer: Answer, revision: str) -> Response:
    meta = _meta("answer") | {"response_format": asked.form, "catalog_revision": revision}
    results = [_result(place.kind, place.name, place.url, place.description) for place in answer.results]
    if asked.mode != MODES[0]:
        best = answer.results[0].url
        results.insert(0, {"@type": "SearchSummary", "name": "Summary", "url": best, "description": answer.text})
    citations = [{"title": place.name, "url": place.url} for place in answer.results]
    whole = {"question": answer.question, "answer": answer.text, "citations": citations}
    if asked.streaming:
        return _stream(meta, whole, results)
    if asked.form == FORMATS[0]:
        whole["results"] = results
    else:
        whole |= {"content": [{"type": "text", "text": answer.text}], "structuredData": results}
    return Response(msgspec.json.encode({"_meta": meta, **whole}), media_type="application/json")


def _result(kind: Kind, name: str, url: str, description: str) -> dict[str, Any]:
    return {
        "@type": SCHEMA_TYPES[kind],
        "name": name,
        "url": url,
        "description": description,
        "grounding": {"source_urls": [url]},
    }


def _meta(response_type: str) -> dict[str, Any]:
    return {"response_type": response_type, "version": VERSION}


def _stream(meta: dict[str, Any], whole: dict[str, Any], results: list[dict[str, Any]]) -> Response:
    """All of it is known already, so it is one body; `_meta` is in the first and in the last event."""
    events: list[tuple[str, dict[str, Any]]] = [
        ("start", {"_meta": meta, "question": whole["question"]}),
        *(("result", {"index": index, "result": result}) for index, result in enumerate(results)),
        ("complete", {"_meta": meta, **whole}),
    ]
    lines = [f"event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n" for name, data in events]
    return Response("".join(lines), headers=STREAM_HEADERS, media_type=STREAM)
