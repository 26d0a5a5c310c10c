"""What a quirk is: how a request must differ so that certain models take it, without a loss to anybody.

It must not know any model, nor how a body is edited.
"""

from collections.abc import Mapping
from re import Pattern

import msgspec


class Quirk(msgspec.Struct, frozen=True, kw_only=True):
    """One row, for these providers (all when empty) and for upstream models that `models` matches in full.

    `renamed` are fields that are known by another name only. `refused` are fields that are an error even where they ask
    for nothing: they are left out when they are null, false, zero or empty; one that does ask for something goes on,
    and the upstream says what it thinks of it. `dropped` are left out always, because the gateway itself gives what
    they ask for. Without `include_usage`, usage is not asked for in a stream: it comes unasked.
    """

    providers: frozenset[str]
    models: Pattern[str]
    dialect: str
    reason: str
    renamed: Mapping[str, str] = {}
    refused: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    include_usage: bool = True

    def concerns(self, provider: str, dialect: str, model: str) -> bool:
        """Whether this row is about that model there."""
        return (
            dialect == self.dialect
            and (not self.providers or provider in self.providers)
            and self.models.fullmatch(model) is not None
        )
