"""How much one request may cost at most, and how many tokens its rate limit should count beforehand.

It decides the bound that a reservation takes. Pure: no clock, no I/O, and nothing about who pays. Rates are the ceiling
over every channel, tier and time window that may come to apply, in pico-USD per token or unit; amounts are nano-USD.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from oneapi.dialects import attachments
from oneapi.dialects.gemini_generate.request import response_modalities
from oneapi.pricing.charge import PICO_PER_NANO

MESSAGE_TOKENS = 16
"""Tokens that a provider may add around one message."""
TOOL_TOKENS = 32
"""Tokens that a provider may add around one tool's declaration."""
IMAGE_TOKENS = 6_000
"""Tokens of one image at the highest detail, as far as the large providers' documents say."""
AUDIO_TOKENS = 36_000
"""Tokens of one audio part: an hour at ten per second."""
BYTES_PER_TOKEN = 4
"""For rate limits, which are corrected when the true count is known; a reservation takes a byte for a token."""
UNASKED_OUTPUT_TOKENS = 1_024
"""Output that a rate limit counts beforehand when the client named no bound."""

_TEXT_INPUT = ("input", "cached_input", "cache_write_5m", "cache_write_1h")
_IMAGE_PARTS = frozenset({"image_url", "input_image", "image"})
_AUDIO_PARTS = frozenset({"input_audio", "audio"})


class Facts(Protocol):
    """What a dialect's `inspect` found out about a request."""

    @property
    def prompt_bytes(self) -> int: ...
    @property
    def messages(self) -> int: ...
    @property
    def tools(self) -> int: ...
    @property
    def choices(self) -> int: ...
    @property
    def max_output(self) -> int | None: ...
    @property
    def raw(self) -> Mapping[str, Any]: ...


class Estimate(msgspec.Struct, frozen=True):
    """`reserve_nano` bounds the cost; `tokens` is what a token rate counts."""

    reserve_nano: int
    tokens: int


def estimate(facts: Facts, rates: Mapping[str, int] | None, output_cap: int, output_floor: int = 0) -> Estimate:
    """Bounds one request whose answer may have `output_cap` tokens at most (0 for endpoints without output).

    Answers can't be kept below `output_floor`, however little was asked for.

    Every byte of text may be a token, each of `choices` may take all of the output, and a call's own price comes once.
    A price of nothing but `per_call` reserves exactly that. Without rates nothing is reserved.
    """
    asked = facts.max_output
    max_output = max(output_cap if asked is None else min(asked, output_cap), output_floor)
    choices = max(facts.choices, 1)
    counted_output = max_output if asked is not None else min(max_output, UNASKED_OUTPUT_TOKENS)
    tokens = -(-facts.prompt_bytes // BYTES_PER_TOKEN) + counted_output * choices
    pico = 0
    if rates:
        images, audios = media(facts.raw)
        text_tokens = facts.prompt_bytes + MESSAGE_TOKENS * facts.messages + TOOL_TOKENS * facts.tools
        text_rate = _text_input_rate(rates, facts.raw)
        pico = (
            text_tokens * text_rate
            + _beyond_text(facts.raw, rates, text_rate)
            + images * IMAGE_TOKENS * _rate(rates, "image_input", "input")
            + audios * AUDIO_TOKENS * _rate(rates, "audio_input", "input")
            + max_output * choices * _output_rate(rates, facts.raw)
            + rates.get("per_call", 0)
        )
    return Estimate(-(-pico // PICO_PER_NANO), tokens)


def media(raw: Mapping[str, Any]) -> tuple[int, int]:
    """Images and audio parts in a request's messages, tool results included."""
    images = audios = 0
    for part in _parts(raw):
        kind = part.get("type")
        if not isinstance(kind, str):
            continue
        if kind in _IMAGE_PARTS:
            images += 1
        elif kind in _AUDIO_PARTS:
            audios += 1
    return images, audios


def _beyond_text(raw: Mapping[str, Any], rates: Mapping[str, int], text_rate: int) -> int:
    """What Google's media may cost more than text: their tokens are among those of the prompt already."""
    if not isinstance(raw.get("contents"), list):
        return 0
    pictures, others = attachments.google_media(raw["contents"])
    picture_rate, sound_rate = _rate(rates, "image_input", "input"), _rate(rates, "audio_input", "input")
    dearer = pictures * attachments.PICTURE_TOKENS * max(picture_rate - text_rate, 0)
    # What a stored file is isn't known, and a film has both.
    return dearer + others * attachments.REFERENCED_TOKENS * max(picture_rate - text_rate, sound_rate - text_rate, 0)


def _parts(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Content parts, wherever a dialect has them: `messages` or `input`, their `content`, and one level below."""
    items = raw.get("messages")
    if not isinstance(items, list):
        items = raw.get("input")
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict):
            continue
        for place in ("content", "output"):
            content = item.get(place)
            for part in content if isinstance(content, list) else ():
                if not isinstance(part, dict):
                    continue
                yield part
                inner = part.get("content")
                yield from (deep for deep in (inner if isinstance(inner, list) else ()) if isinstance(deep, dict))


def _text_input_rate(rates: Mapping[str, int], raw: Mapping[str, Any]) -> int:
    """The dearest bucket that text may be counted in."""
    buckets: tuple[str, ...] = _TEXT_INPUT
    if "cache_write_5m" in rates and not _asks_for_cache(raw):
        # Where writes to a cache have a price of their own, they happen on request only.
        buckets = ("input", "cached_input")
    return max(rates.get(bucket, 0) for bucket in buckets)


def _asks_for_cache(raw: Mapping[str, Any]) -> bool:
    if "cache_control" in raw:
        return True
    for place in ("system", "tools", "messages"):
        items = raw.get(place)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and "cache_control" in item:
                return True
    return any("cache_control" in part for part in _parts(raw))


def _output_rate(rates: Mapping[str, int], raw: Mapping[str, Any]) -> int:
    """The dearest bucket that the answer may be counted in: sound and pictures only when they may come."""
    dearest = max(rates.get("output", 0), rates.get("reasoning", 0))
    modalities = response_modalities(raw) if "contents" in raw else raw.get("modalities")
    if isinstance(modalities, Collection):
        if "audio" in modalities:
            dearest = max(dearest, rates.get("audio_output", 0))
        if "image" in modalities:
            dearest = max(dearest, rates.get("image_output", 0))
    return dearest


def _rate(rates: Mapping[str, int], bucket: str, otherwise: str) -> int:
    return rates.get(bucket, rates.get(otherwise, 0))
