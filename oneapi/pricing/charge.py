"""What a usage costs: one line for each bucket, exact in pico-USD, and their sum in nano-USD.

Formula: amount = ceil(sum(quantity × rate) / 1000), rounded once. It decides which rate a bucket without one of its
own takes. It must not know tiers, time or reservations.
"""

from collections.abc import Mapping

import msgspec

PICO_PER_NANO = 1_000

FALLBACK = {
    "cached_input": "input",
    "cache_write_5m": "input",
    "cache_write_1h": "input",
    "audio_input": "input",
    "image_input": "input",
    "reasoning": "output",
    "audio_output": "output",
    "image_output": "output",
}
"""A bucket without a rate of its own is priced as this one."""


class Line(msgspec.Struct, frozen=True):
    """One line of a bill; `unit_price_pico` is pico-USD for one token or unit, and the amount is their product."""

    bucket: str
    quantity: int
    unit_price_pico: int
    amount_pico: int


def rate_of(bucket: str, rates: Mapping[str, int]) -> int:
    """Pico-USD for one token or unit of a bucket; 0 when nothing prices it."""
    own = rates.get(bucket)
    return own if own is not None else rates.get(FALLBACK.get(bucket, ""), 0)


def lines(usage: Mapping[str, int], rates: Mapping[str, int]) -> tuple[Line, ...]:
    """One line for each bucket that was used and costs something, in the order of the usage."""
    found = []
    for bucket, quantity in usage.items():
        rate = rate_of(bucket, rates)
        if quantity and rate:
            found.append(Line(bucket, quantity, rate, quantity * rate))
    return tuple(found)


def total_nano(bill: tuple[Line, ...]) -> int:
    """The sum of the lines in nano-USD, rounded up."""
    return -(-sum(line.amount_pico for line in bill) // PICO_PER_NANO)
