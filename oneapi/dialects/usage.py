"""Usage as disjoint buckets: what each dialect's decoder returns and pricing takes.

What a provider counts inside something else (OpenAI's cached tokens inside the prompt, reasoning inside the completion)
is taken out of it, so that nothing is priced twice. Buckets are never negative and those of nothing are left out.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

Usage = dict[str, int]
"""Count by bucket; bucket names are those of `oneapi.catalog.types`."""

_CACHE = frozenset({"cached_input", "cache_write_5m", "cache_write_1h"})

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for what an upstream sent: not JSON, not that shape, or nested too deep."""

BYTES_PER_TOKEN = 4
"""For usage that nobody told: about four bytes of text are one token."""


def count(values: Mapping[str, Any], name: str) -> int:
    """A count in a provider's object; 0 when it is absent, negative or no number."""
    value = values.get(name)
    if value is None:  # as nearly all of them are
        return 0
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**53 else 0


def first_count(values: Mapping[str, Any], *names: str) -> int:
    """The first of these counts that isn't 0, else 0."""
    for name in names:
        found = count(values, name)
        if found:
            return found
    return 0


def part(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside a provider's object; empty when it is absent or something else."""
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def without_zeros(buckets: Mapping[str, int]) -> Usage:
    """The buckets that hold something."""
    return {name: value for name, value in buckets.items() if value > 0}


def inclusive(
    given: int, made: int, grand_total: int, *, in_given: Mapping[str, int], in_made: Mapping[str, int]
) -> Usage:
    """Buckets of a provider that counts the parts `in_given` inside the input, and `in_made` inside the output.

    Vendors of the same format who count otherwise give themselves away by their grand total, or by parts that are more
    than the whole (xAI counts reasoning beside the completion, some proxies the cache beside the prompt). Output that
    only the grand total shows is reasoning. What contradicts itself is clamped: a part is at most what is left of its
    whole, in the order given. The cache's parts come first in `in_given`.
    """
    cached = [count for bucket, count in in_given.items() if bucket in _CACHE]
    cache, inner = sum(cached), sum(in_made.values())
    beyond = grand_total - given - made if grand_total and given else None
    made_beside = inner > 0 and (beyond in {inner, inner + cache} or (inner > made and beyond != 0))
    if made_beside and beyond is not None:
        beyond -= inner
    cache_beside = cache > 0 and (beyond == cache or max(cached) > given)
    if cache_beside and beyond is not None:
        beyond -= cache
    found = _parts("input", given + cache if cache_beside else given, in_given)
    found |= _parts("output", made + inner if made_beside else made, in_made)
    if beyond is not None and beyond > 0 and "reasoning" not in found:
        found["reasoning"] = beyond
    return found


def _parts(whole: str, total: int, inside: Mapping[str, int]) -> Usage:
    left = total
    found = {whole: 0}
    for bucket, count in inside.items():
        found[bucket] = min(count, left)
        left -= found[bucket]
    found[whole] = left
    return without_zeros(found)


def counted(prompt_bytes: int, text_bytes: int) -> Usage:
    """An estimate from what was sent and delivered, for when the provider told nothing."""
    return without_zeros({"input": -(-prompt_bytes // BYTES_PER_TOKEN), "output": -(-text_bytes // BYTES_PER_TOKEN)})
