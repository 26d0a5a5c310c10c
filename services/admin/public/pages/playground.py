"""The page on which a request to the sandbox is written, sent and looked at.

It decides which formats and examples it offers. The page's script sends what stands in its text field, and nothing
else; it must not know what the sandbox answers.
"""

from collections.abc import Mapping
from typing import Any

from services.admin.public.document import SLOW_S, Document
from services.admin.public.examples import SANDBOX_MODEL, body, command
from services.admin.public.pages import layout
from services.admin.public.pages.html import Html, lines, tag
from services.admin.public.pretty import pretty_json
from services.admin.public.routes import SANDBOX, Route
from services.admin.public.site import Public

SCRIPT = layout.asset("playground.js")
TITLE, NOTE = "Playground", "a request to the sandbox, written and sent in the browser"
CASES: Mapping[str, str] = {
    "": "An answer in words",
    "slow": "An answer with pauses",
    "tool_call": "A tool call",
    "refusal": "A refusal",
    "length": "An answer that is cut off at its limit",
    "rate_limit": "Too many requests (429)",
    "overloaded": "Overloaded (503)",
    "server_error": "A failure of the server (500)",
    "mid_stream_error": "An error in the middle of a stream",
}
"""What `metadata.sandbox` may ask for, with what to call it."""


def playground() -> Document:
    """The page."""
    return Document(
        path=layout.PLAYGROUND,
        title=TITLE,
        note=NOTE,
        representations=(layout.represented(_page, SCRIPT),),
        max_age_s=SLOW_S,
        group=layout.GROUP,
    )


def request(route: Route, case: str = "") -> dict[str, Any]:
    """What a route of the sandbox is asked at first, in this case."""
    asked = {**body(route, SANDBOX_MODEL), "stream": False}
    return {**asked, "metadata": {"sandbox": case}} if case else asked


def _page(public: Public) -> layout.Page:
    return layout.Page(
        title=TITLE,
        note=f"{NOTE[0].upper()}{NOTE[1:]}.",
        path=layout.PLAYGROUND,
        here=layout.PLAYGROUND,
        script=SCRIPT,
        main=lines(
            tag("h1", TITLE),
            tag(
                "p",
                "The sandbox answers in three formats, without a key and without asking any provider. Its answers are "
                "made up, in the exact form of real ones: streams, tool calls and errors too.",
                class_="lead",
            ),
            tag(
                "noscript",
                tag("p", "Sending from this page needs JavaScript; this does the same:"),
                tag("pre", tag("code", command(public, SANDBOX[0]))),
            ),
            _form(),
            _answer(),
        ),
    )


def _form() -> Html:
    """Hidden until its script runs."""
    formats = (
        tag("option", route.format.value, value=route.path, data_request=pretty_json(request(route)))
        for route in SANDBOX
    )
    cases = (tag("option", name, value=case) for case, name in CASES.items())
    return tag(
        "form",
        _field(tag("label", "Format", for_="format"), tag("select", *formats, id="format")),
        _field(tag("label", "Example", for_="case"), tag("select", *cases, id="case")),
        _field(tag("input", type="checkbox", id="stream"), tag("label", "Streamed", for_="stream"), inline=True),
        _field(
            tag("label", "Request body (JSON)", for_="body"),
            tag("textarea", pretty_json(request(SANDBOX[0])), id="body", rows="12", spellcheck="false"),
        ),
        _field(
            tag("button", "Send", type="submit", id="send"),
            tag("button", "Stop", type="button", id="stop", disabled=True),
            tag("code", id="target"),
            inline=True,
        ),
        id="playground",
        hidden=True,
    )


def _field(*parts: Html, inline: bool = False) -> Html:
    return tag("div", *parts, class_="field inline" if inline else "field")


def _answer() -> Html:
    return tag(
        "section",
        tag("h2", "Answer", id="answer-title"),
        tag("p", "Nothing was sent yet.", id="status", role="status"),
        tag("h3", "Headers"),
        tag("pre", tag("code", id="headers"), tabindex="0", class_="answer"),
        tag("h3", "Body"),
        tag("pre", tag("code", id="answer-body"), tabindex="0", class_="answer"),
        id="answer",
        aria_labelledby="answer-title",
        hidden=True,
    )
