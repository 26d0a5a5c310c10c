"""What a renderer is given: this gateway's name, address and version, and the public view.

It decides how addresses are made: no document names a host but the configured one. It must not know any document.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from oneapi.catalog.public.view import PublicView


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`base_url` is without a slash at its end."""

    base_url: str
    version: str
    name: str = "One API"

    def url(self, path: str) -> str:
        """The address of a path of this gateway."""
        return self.base_url + path

    def url_with(self, path: str, segment: str) -> str:
        """The same, with a name of any characters as its last segment."""
        return f"{self.base_url}{path}/{quote(segment, safe='')}"

    @property
    def host(self) -> str:
        """The host alone."""
        return urlsplit(self.base_url).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """All that a document may depend on. Renderers are pure functions of it."""

    site: Site
    view: PublicView
