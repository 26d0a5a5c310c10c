"""What a public document is: one entry in the registry.

It decides what must be said of each, and must not know how one is served.
"""

from collections.abc import Callable
from dataclasses import dataclass

from services.admin.public.site import Listed, Public

Headers = tuple[tuple[str, str], ...]

MARKDOWN = "text/markdown; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
HTML = "text/html; charset=utf-8"

LIVE_S = 60
SLOW_S = 300
FIXED_S = 3600
"""How long copies may be kept: of what shows models or prices, of what changes with a setting, with a release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """One form of a document. `headers` are made from the bytes, such as a policy with their digest."""

    media_type: str
    render: Callable[[Public], str]
    headers: Callable[[bytes], Headers] = lambda _body: ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document. The first representation is what `Accept: */*` gets.

    `rel` is its link relation in `Link` headers and HTML heads, empty for those that are not worth one; `group` is the
    section of llms.txt and of the site map for people that lists it, empty for one that is an alias.
    """

    path: str
    title: str
    note: str
    representations: tuple[Representation, ...]
    max_age_s: int
    group: str = ""
    rel: str = ""
    beside: tuple[str, ...] = ()
    """Methods of this path that are somebody else's, such as POST."""
    for_anyone: bool = False
    """It is only what anyone gets who asks for all: with a query or a credential the path is somebody else's."""

    @property
    def media_type(self) -> str:
        """That of the first representation."""
        return self.representations[0].media_type

    @property
    def listed(self) -> Listed:
        """What other documents may say of it."""
        return Listed(
            path=self.path,
            title=self.title,
            note=self.note,
            media_type=self.media_type,
            group=self.group,
            rel=self.rel,
        )


def document(
    path: str, media_type: str, render: Callable[[Public], str], title: str, note: str, max_age_s: int, **more: object
) -> Document:
    """A document of one form."""
    return Document(
        path=path,
        title=title,
        note=note,
        representations=(Representation(media_type=media_type, render=render),),
        max_age_s=max_age_s,
        **more,  # type: ignore[arg-type]
    )
