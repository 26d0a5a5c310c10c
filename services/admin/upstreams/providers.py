"""What admin must know of providers: which there are, their defaults, and where one lists its models.

It must not know which channels exist.
"""

from typing import NamedTuple

from oneapi.providers.registry import PROVIDERS

ANTHROPIC_DIALECT = "anthropic_messages"


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


def needs_network(name: str) -> bool:
    """Whether there is an upstream to call."""
    spec = PROVIDERS.get(name)
    return spec is None or not spec.in_process


def models_url(name: str, base_url: str) -> str:
    """Where the provider lists its models: below what its SDK takes as the base URL."""
    spec = PROVIDERS.get(name)
    below = "/v1/models" if spec is not None and spec.dialects[0] == ANTHROPIC_DIALECT else "/models"
    return base_url.rstrip("/") + below


def credentials(name: str, api_key: str) -> dict[str, str]:
    """The headers that carry the credential, names in lower case."""
    spec = PROVIDERS.get(name)
    return {} if spec is None else {header.lower(): value for header, value in spec.headers(api_key)}
