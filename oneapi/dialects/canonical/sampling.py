"""Settings of sampling that only some formats have, and under names of their own: the seed and two penalties.

They wait in a request's `rest` under Chat's names. It decides what of them a format that has them is given; what it
isn't given stays, and is lost like anything else there. It must not know any format.
"""

from collections.abc import Mapping
from typing import Any

from oneapi.dialects.canonical.losses import Losses

SEED = "seed"
PENALTIES = ("presence_penalty", "frequency_penalty")
Range = tuple[float, float]


def take(
    rest: Mapping[str, Any], spelled: Mapping[str, str], losses: Losses, *, seeds: Range, penalties: Range = (-2, 2)
) -> tuple[dict[str, Any], dict[str, Any]]:
    """These settings by the format's names, and what is left of the rest.

    A penalty out of the range becomes the nearest in it, which is a loss; a seed has nothing near it.
    """
    given: dict[str, Any] = {}
    left = dict(rest)
    for name, own in spelled.items():
        value = left.get(name)
        low, high = seeds if name == SEED else penalties
        if isinstance(value, bool) or not isinstance(value, int if name == SEED else int | float):
            continue
        if name == SEED and not low <= value <= high:
            continue
        if name != SEED and value == 0:
            continue
        del left[name]
        given[own] = min(max(value, low), high)
        if given[own] != value:
            losses.add(name)
    return given, left
