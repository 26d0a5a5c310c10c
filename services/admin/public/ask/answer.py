"""Answers a question from the public view: the entries that fit best, each with one line that says what it is.

It decides what a question is cut to, how much is answered, and what is said of a model, a tool or a page. No model is
called, and nothing of a question is kept. Pure; it must not know by which protocol was asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from oneapi.catalog.public.view import PublicOffer, PublicTool
from services.admin.public.ask.index import Entry, Index, Kind
from services.admin.public.ask.pages import BASICS, ENTRY_POINTS, Page
from services.admin.public.display.models import PATH as MODELS_PATH
from services.admin.public.display.tools import PATH as TOOLS_PATH
from services.admin.public.site import Public
from services.admin.public.text import line

MAX_QUESTION = 500
MAX_RESULTS = 5
MAX_OFFERS = 3
MAX_EXAMPLES = 8
NOTHING_FOUND = "Nothing public fits the question. These are the places to begin."


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was found; plain text of one line each."""

    kind: Kind
    name: str
    url: str
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`question` is what was answered: at most `MAX_QUESTION` characters of what was asked."""

    question: str
    text: str
    results: tuple[Result, ...]


class Asking:
    """Answers over `pages`, models and tools. Keeps the index of the last view, and nothing else."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = (*BASICS, *pages)
        self._known: tuple[Public, Index] | None = None

    def answer(self, question: str, public: Public) -> Answer:
        """The answer; an empty question gets the places to begin."""
        asked = line(question[:MAX_QUESTION], MAX_QUESTION)
        found = [_result(entry, public) for entry in self._index(public).search(asked, MAX_RESULTS)] if asked else []
        if found:
            return Answer(asked, f"{found[0].name}: {found[0].description}", tuple(found))
        begin = [_result(Entry(Kind.PAGE, page.title, page), public) for page in BASICS[:ENTRY_POINTS]]
        return Answer(asked, NOTHING_FOUND if asked else summary(public), tuple(begin))

    def _index(self, public: Public) -> Index:
        if self._known is None or self._known[0] is not public:
            self._known = (public, Index(public.view, self._pages))
        return self._known[1]


def summary(public: Public) -> str:
    """What this gateway is, with its counts."""
    models, tools = len(public.view.models), len(public.view.tools)
    return f"{public.site.name} is an AI gateway with {models} public models and {tools} tools. Begin here."


def of_model(offers: Sequence[PublicOffer]) -> str:
    """What a model costs, on each channel."""
    told = [f"{price_line(offer)} on {line(offer.channel, 60)}" for offer in offers[:MAX_OFFERS]]
    more = len(offers) - MAX_OFFERS
    return "; ".join([*told, f"and on {more} more channels"] if more > 0 else told)


def of_tool(tool: PublicTool) -> str:
    """What a tool is and costs. What its server says of it is not repeated."""
    return f"tool of {line(tool.server, 60)} on /mcp, {tool.usd_per_call} USD per call"


def price_line(offer: PublicOffer) -> str:
    """The price now, of tokens per million and of units each."""
    if offer.price is None:
        return "no price"
    rates = offer.price.now
    tokens = ", ".join(f"{name} {usd}" for name, usd in rates.per_million)
    units = ", ".join(f"{name} {usd}" for name, usd in rates.per_unit)
    parts = [f"{tokens} USD per 1M tokens" if tokens else "", f"{units} USD each" if units else ""]
    return "; ".join(part for part in parts if part) or "free"


def _result(entry: Entry, public: Public) -> Result:
    subject, name = entry.subject, line(entry.title)
    if isinstance(subject, Page):
        return Result(
            entry.kind, name, public.site.url(subject.path), f"{subject.text}{_examples(subject.path, public)}"
        )
    if isinstance(subject, PublicTool):
        return Result(entry.kind, name, public.site.url(TOOLS_PATH), of_tool(subject))
    return Result(entry.kind, name, public.site.url(MODELS_PATH), of_model(subject))


def _examples(path: str, public: Public) -> str:
    """The first names of a list, after the sentence about it."""
    named = {
        MODELS_PATH: public.view.models[:MAX_EXAMPLES],
        TOOLS_PATH: [tool.name for tool in public.view.tools[:MAX_EXAMPLES]],
    }.get(path, ())
    return f" For example: {', '.join(line(name, 60) for name in named)}." if named else ""
