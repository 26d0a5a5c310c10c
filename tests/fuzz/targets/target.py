"""What a target is: where its inputs begin, and a check that fails on an input that breaks a property."""

import dataclasses
import itertools
import random
from collections.abc import Callable, Sequence

SEEDS_OF_CHOICES = [b"1", b"2", b"3", b"4"]
"""For a target that takes its input as the seed of its choices."""


@dataclasses.dataclass(frozen=True)
class Target:
    """`check` raises for an input whose property doesn't hold; `share` is its part of the cases."""

    seeds: Sequence[bytes]
    check: Callable[[bytes], None]
    share: int = 1


def pieces(data: bytes, seed: bytes) -> list[bytes]:
    """The data cut at places that only `seed` decides, so that an input means the same each time."""
    choose = random.Random(seed)
    cuts = sorted({0, len(data), *(choose.randrange(len(data) + 1) for _ in range(choose.randrange(12)))})
    return [data[start:end] for start, end in itertools.pairwise(cuts)]
