"""What admin must know of providers: which there are, their defaults, and where one lists its models.

It must not know which channels exist.
"""

import time
from typing import NamedTuple

from yarl import URL

from oneapi.catalog.types import Channel
from oneapi.providers.registry import PROVIDERS
from oneapi.providers.spec import Outgoing

_GOOGLES = "gemini_generate"


class Defaults(NamedTuple):
    """What a channel of a provider has when its configuration doesn't say."""

    base_url: str
    dialects: tuple[str, ...]
    endpoints: tuple[str, ...]


def names() -> list[str]:
    return sorted(PROVIDERS)


def known(name: str) -> bool:
    return name in PROVIDERS


def defaults(name: str) -> Defaults:
    """Empty for a provider that this version doesn't know any more."""
    spec = PROVIDERS.get(name)
    return Defaults("", (), ()) if spec is None else Defaults(spec.default_base_url, spec.dialects, spec.endpoints)


def base_url_form(name: str) -> str:
    """What a base URL looks like where each customer has their own; "" when that can't be said."""
    spec = PROVIDERS.get(name)
    return "" if spec is None else spec.base_url_form


def needs_network(name: str) -> bool:
    """Whether there is an upstream to call."""
    spec = PROVIDERS.get(name)
    return spec is None or not spec.in_process


def models_url(name: str, base_url: str) -> str:
    """Where the provider lists its models, as OpenAI does when this version doesn't know it any more."""
    spec = PROVIDERS.get(name, PROVIDERS["openai-compatible"])
    return spec.models_url(base_url)


def lists_as_google(name: str) -> bool:
    """Whether its list of models has Google's shape."""
    spec = PROVIDERS.get(name)
    return spec is not None and _GOOGLES in spec.spoken


def credentials(name: str, api_key: str) -> dict[str, str]:
    """The headers that carry the credential, names in lower case."""
    spec = PROVIDERS.get(name)
    return {} if spec is None else {header.lower(): value for header, value in spec.headers(api_key)}


def signature(channel: Channel, api_key: str, url: URL) -> dict[str, str]:
    """The headers that sign a GET of this URL, names in lower case; none where nothing is signed.

    ValueError when the channel doesn't say enough for it.
    """
    spec = PROVIDERS.get(channel.provider)
    sign = None if spec is None else spec.signer(api_key, channel.base_url, channel.config)
    if sign is None:
        return {}
    outgoing = Outgoing("GET", url.host_port_subcomponent or "", url.raw_path_qs, "", b"")
    return {header.lower(): value for header, value in sign(outgoing, time.time())}
