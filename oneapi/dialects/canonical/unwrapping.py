"""Reads the one text out of a JSON object whose pieces arrive: `{"input": "…"}`, unescaped as far as it is known.

What is no such object is given on as it came, at the end. Pure.
"""

import re

from oneapi.dialects.canonical.arguments import as_object
from oneapi.dialects.canonical.naming import INPUT

_BEGIN = re.compile(r'\s*\{\s*"' + INPUT + r'"\s*:\s*"')
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HIGH = range(0xD800, 0xDC00)
_LOW = range(0xDC00, 0xE000)


class Unwrapper:
    """Unwraps one call's arguments."""

    __slots__ = ("_all", "_begun", "_ended")

    def __init__(self) -> None:
        self._all = ""
        self._begun = False
        self._ended = False

    def feed(self, text: str) -> str:
        """More of the text itself."""
        if self._ended:
            return ""
        self._all += text
        if not self._begun:
            found = _BEGIN.match(self._all)
            if found is None:
                return ""
            self._begun = True
            self._all = self._all[found.end() :]
        return self._take()

    def end(self) -> str:
        """What is left, when nothing could be unwrapped on the way."""
        if self._begun:
            return ""
        value = as_object(self._all).get(INPUT)
        return value if isinstance(value, str) else self._all

    def _take(self) -> str:
        """Everything up to the text's end, or to an escape that isn't whole."""
        text, out, at = self._all, [], 0
        while at < len(text):
            place = _next(text, at)
            out.append(text[at:place])
            at = place
            if at == len(text):
                break
            if text[at] == '"':
                self._ended = True
                break
            read = _escape(text, at)
            if read is None:
                break
            character, at = read
            out.append(character)
        self._all = text[at:]
        return "".join(out)


def _next(text: str, at: int) -> int:
    places = [place for place in (text.find('"', at), text.find("\\", at)) if place >= 0]
    return min(places, default=len(text))


def _escape(text: str, at: int) -> tuple[str, int] | None:
    """The character of the escape at this place and where it ends; None while it isn't whole."""
    if at + 1 >= len(text):
        return None
    if text[at + 1] != "u":
        return _ESCAPES.get(text[at + 1], text[at + 1]), at + 2
    high = _code(text, at)
    if high is None:
        return None
    if high not in _HIGH:
        return _character(high), at + 6
    if not "\\u".startswith(text[at + 6 : at + 8]):
        return _character(high), at + 6
    low = _code(text, at + 6)
    if low is None:
        return None
    if low not in _LOW:
        return _character(high), at + 6
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), at + 12


def _code(text: str, at: int) -> int | None:
    digits = text[at + 2 : at + 6]
    if len(digits) < 4:
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return 0xFFFD


def _character(code: int) -> str:
    return "\ufffd" if code in _HIGH or code in _LOW else chr(code)
