"""An index of words over what is public, and the search in it.

It decides the order of what is found: rare words count more than frequent ones, titles more than texts; equals stay in
the order of the catalog. One question costs a bounded time, however long the catalog is. Pure; it must not know how
answers look.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from oneapi.catalog.public.view import PublicOffer, PublicTool, PublicView
from services.admin.public.ask.pages import Page
from services.admin.public.ask.wording import MAX_WORDS, words

MAX_POSTINGS = 500
"""Of one word: a word that more entries have tells them apart no better, so the rest of them isn't looked at."""

_WHOLE, _TITLE, _TEXT = 6.0, 3.0, 1.0


class Kind(StrEnum):
    """What an entry is about."""

    PAGE = "page"
    MODEL = "model"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Entry:
    """`subject` is a page, the offers of one model, or a tool."""

    kind: Kind
    title: str
    subject: Page | tuple[PublicOffer, ...] | PublicTool


class Index:
    """Made once for a view."""

    def __init__(self, view: PublicView, pages: Iterable[Page]) -> None:
        self._entries: list[Entry] = []
        self._postings: dict[str, list[tuple[int, float]]] = {}
        self._frequency: dict[str, int] = {}
        for page in pages:
            self._add(Entry(Kind.PAGE, page.title, page), page.title, f"{page.path} {page.text}")
        for model, offers in view.by_model.items():
            self._add(Entry(Kind.MODEL, model, offers), model, _of_offers(offers))
        for tool in view.tools:
            self._add(
                Entry(Kind.TOOL, tool.name, tool), tool.name, f"{tool.title} {tool.server} {tool.description[:500]}"
            )

    def search(self, question: str, count: int) -> list[Entry]:
        """The best entries, best first; none when no word of the question is known."""
        scores: dict[int, float] = {}
        for word in words(question, MAX_WORDS):
            rarity = math.log(1 + len(self._entries) / self._frequency.get(word, 1))
            for place, weight in self._postings.get(word, ()):
                scores[place] = scores.get(place, 0.0) + weight * rarity
        ranked = sorted(scores.items(), key=lambda item: (-round(item[1], 6), item[0]))
        return [self._entries[place] for place, _ in ranked[:count]]

    def _add(self, entry: Entry, title: str, text: str) -> None:
        place = len(self._entries)
        self._entries.append(entry)
        weights = dict.fromkeys(words(text, 100), _TEXT) | dict.fromkeys(words(title, MAX_WORDS), _TITLE)
        if title.lower() in weights:
            weights[title.lower()] = _WHOLE
        for word, weight in weights.items():
            self._frequency[word] = self._frequency.get(word, 0) + 1
            postings = self._postings.setdefault(word, [])
            if len(postings) < MAX_POSTINGS:
                postings.append((place, weight))


def _of_offers(offers: tuple[PublicOffer, ...]) -> str:
    return " ".join(f"{offer.channel} {offer.provider} {' '.join(offer.endpoints)}" for offer in offers[:8])
