"""What an ability is: something that certain models can or can't be asked, which a conversion must know.

It must not know any model, nor what a conversion makes of it.
"""

from collections.abc import Mapping
from re import Pattern
from typing import Any

import msgspec


class Ability(msgspec.Struct, frozen=True, kw_only=True):
    """One row, for these providers and dialects (all when empty) and for upstream models that `models` finds.

    `can` has fields of a conversion's profile. Of two rows that say the same the later one counts.
    """

    models: Pattern[str]
    can: Mapping[str, Any]
    reason: str
    providers: frozenset[str] = frozenset()
    dialects: frozenset[str] = frozenset()

    def concerns(self, provider: str, dialect: str, model: str) -> bool:
        """Whether this row is about that model there."""
        return (
            (not self.providers or provider in self.providers)
            and (not self.dialects or dialect in self.dialects)
            and self.models.search(model) is not None
        )
