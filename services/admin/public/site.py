"""What a renderer is given: this gateway's name, address and version, what it serves, and the public view.

It decides how addresses are made: no document names a host but the configured one. It must not know any document.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from oneapi.catalog.public.view import PublicView


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a document may say of another one. `media_type` is that of its first form."""

    path: str
    title: str
    note: str
    media_type: str
    group: str
    rel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`base_url` is without a slash at its end, `documents` is every public one, `management` makes OpenAPI of that API
    when it is wanted first: that takes a second."""

    base_url: str
    version: str
    name: str = "One API"
    documents: tuple[Listed, ...] = ()
    management: Callable[[], Mapping[str, Any]] = field(default=dict, compare=False, repr=False)

    def serves(self, path: str) -> bool:
        """Whether there is a public document of this path."""
        return any(document.path == path for document in self.documents)

    def url(self, path: str) -> str:
        """The address of a path of this gateway."""
        return self.base_url + path

    @property
    def host(self) -> str:
        """The host alone."""
        return urlsplit(self.base_url).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """All that a document may depend on. Renderers are pure functions of it."""

    site: Site
    view: PublicView
