"""Makes HTML of text: whatever isn't made here is escaped.

It decides what is HTML already, by its type, so that a text that nobody thought of can't become markup. It must not
know any page.
"""

from html import escape

VOID = frozenset({"br", "hr", "input", "link", "meta"})


class Html(str):
    """HTML already. Joined to another text by `+` or an f-string it is a plain text again, and would be escaped."""

    __slots__ = ()


def html(*parts: str) -> Html:
    """The parts one after the other, escaped unless they are HTML."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def tag(name: str, /, *parts: str, **attributes: str | bool | None) -> Html:
    """An element. Names of attributes are written `class_` and `aria_label`; one that is None or False is left out."""
    shown = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Html(f"<{name}{shown}>")
    return Html(f"<{name}{shown}>{html(*parts)}</{name}>")


def lines(*parts: str) -> Html:
    """The parts on a line each; empty ones are left out."""
    return Html("\n".join(html(part) for part in parts if part))
