"""All that is known of one model at one provider, as one.

Decides how rows add up; it must not know what they say.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from oneapi.providers.profiles.abilities import ABILITIES
from oneapi.providers.profiles.openai_chat import QUIRKS
from oneapi.providers.profiles.tokens import FAMILIES

_MAX_KEPT = 4_096


class RequestProfile(msgspec.Struct, frozen=True):
    """What `Quirk` says of its fields, over all rows."""

    renamed: Mapping[str, str] = {}
    refused: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    include_usage: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether a body needs no edit for it."""
        return not (self.renamed or self.refused or self.dropped)


@lru_cache(maxsize=_MAX_KEPT)
def request_profile(provider: str, dialect: str, model: str) -> RequestProfile:
    """How a request in this dialect must differ for this model there."""
    rows = [quirk for quirk in QUIRKS if quirk.concerns(provider, dialect, model)]
    return RequestProfile(
        renamed={old: new for quirk in rows for old, new in quirk.renamed.items()},
        refused=frozenset().union(*(quirk.refused for quirk in rows)),
        dropped=frozenset().union(*(quirk.dropped for quirk in rows)),
        include_usage=all(quirk.include_usage for quirk in rows),
    )


@lru_cache(maxsize=_MAX_KEPT)
def abilities(provider: str, dialect: str, model: str) -> Mapping[str, Any]:
    """What this model can be asked there: fields of a conversion's profile."""
    known: dict[str, Any] = {}
    for row in ABILITIES:
        if row.concerns(provider, dialect, model):
            known |= row.can
    return known


def tokens_of(model: str) -> tuple[int, int]:
    """How many tokens the model's family makes of a hundred of the vocabulary's, and how many are about tools."""
    return next(((row.percent, row.tools) for row in FAMILIES if row.models.search(model)), (100, 0))
