"""Refuses requests that would have a provider open something inside: a provider may stand in our own network.

It decides that such URLs are public ones. It must not know which fields hold them.
"""

from collections.abc import Mapping
from typing import Any

from oneapi.dialects.links import links
from oneapi.runtime.egress.addresses import EgressRefused, check_link
from services.edge import refusals


def check_links(raw: Mapping[str, Any], *, allow_private: bool) -> None:
    """Raises GatewayError 400 that names the field."""
    for field, url in links(raw):
        try:
            check_link(url, allow_private)
        except EgressRefused:
            raise refusals.invalid_link(field) from None
