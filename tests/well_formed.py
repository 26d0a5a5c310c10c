"""Whether a page is well-formed HTML that nothing of others' text got into as markup."""

from collections import Counter
from html.parser import HTMLParser

VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_WORDS = """
a blockquote body br button caption code div em footer form h1 h2 h3 h4 h5 h6 head header hr html input label li link
main mark meta nav noscript ol option p pre script section select small span strong style table tbody td textarea th
thead title tr ul
"""
KNOWN = frozenset(_WORDS.split())
REFERRING = ("for", "aria-labelledby")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.open: list[str] = []
        self.ids: Counter[str] = Counter()
        self.referred: set[str] = set()
        self.levels: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in KNOWN:
            self.found.append(f"<{tag}> is no element of ours")
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.found.append(f"<{tag}> has an attribute twice")
        self.found += [f"<{tag} {name}>" for name in names if name.startswith("on") or name == "style"]
        given = {name: value or "" for name, value in attrs}
        self._look(tag, given)
        if tag not in VOID:
            self.open.append(tag)

    def _look(self, tag: str, given: dict[str, str]) -> None:
        if "id" in given:
            self.ids[given["id"]] += 1
        self.referred |= {given[name] for name in REFERRING if name in given}
        address = given.get("href", given.get("src", "/"))
        if not address.startswith(("/", "#", "https://", "http://", "mailto:", "data:image/svg+xml,")):
            self.found.append(f"<{tag}> leads to {address!r}")
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.levels.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.found.append(f"</{tag}> closes nothing that is open")


def problems(page: str) -> list[str]:
    """What is wrong with a page; nothing when it is good."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    found = reader.found + [f"<{tag}> is never closed" for tag in reader.open]
    found += [f"the id {name!r} is there {count} times" for name, count in reader.ids.items() if count > 1]
    found += [f"nothing has the id {name!r}" for name in reader.referred - set(reader.ids)]
    if not page.startswith("<!DOCTYPE html>\n"):
        found.append("no doctype")
    if reader.levels.count(1) != 1 or reader.levels[0] != 1:
        found.append(f"headings of the levels {reader.levels}")
    return found
