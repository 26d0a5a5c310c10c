"""Makes text of others safe to stand in a document.

Names and descriptions are what operators, users and tool servers wrote. It decides what may be left of them: one line
of printable characters, not too long, that no reader of Markdown takes for a table, a link, HTML or code. It must not
know documents.
"""

import re

LONGEST = 200
NAMELESS = "(no name)"

_MARKUP = re.compile(r"[\\`*\[\]|~]")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_HTML_SIGN = re.compile("[&<>]")
# Readers of GitHub's Markdown make links of bare addresses.
_BARE_ADDRESS = re.compile(r"(?i)(:)(?=//)|(?<=\bwww)(\.)")
_BRACKETS = str.maketrans("[]", "()")


def line(text: str, longest: int = LONGEST) -> str:
    """One line of printable characters: no controls, marks of direction, halves of characters; cut when too long."""
    # Not all of a long text has to be looked at; what is invisible may take three quarters.
    seen = "".join(character if character.isprintable() else " " for character in text[: longest * 4])
    words = " ".join(seen.split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def cell(text: str, longest: int = LONGEST) -> str:
    """Text for a cell of a Markdown table, or within a line of Markdown; it reads as it was written."""
    safe = _MARKUP.sub(r"\\\g<0>", line(text, longest))
    safe = _HTML_SIGN.sub(lambda sign: _HTML[sign[0]], safe)
    return _BARE_ADDRESS.sub(r"\\\g<0>", safe)


def link_text(text: str, longest: int = LONGEST) -> str:
    """Text for `[…](address)`. Brackets become round ones: not every reader of llms.txt knows escaped ones."""
    return cell(line(text, longest).translate(_BRACKETS), longest) or NAMELESS
