"""Which representation of a document a request gets.

Source: RFC 9110, section 12.5.1. It decides ties: the document's first representation wins. It must not know documents.
"""

from collections.abc import Sequence

MAX_RANGES = 50


def choose(accept: str, media_types: Sequence[str]) -> int | None:
    """The index of the media type that `Accept` ranks highest; None when it accepts none. Empty accepts everything."""
    ranges = [_read(part) for part in accept.split(",")[:MAX_RANGES] if part.strip()]
    if not ranges:
        return 0
    ranked = [(_quality(media_type, ranges), -place) for place, media_type in enumerate(media_types)]
    quality, place = max(ranked)
    return -place if quality > 0 else None


def _read(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = min(max(float(value.strip()), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return name, quality


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality of the most specific range that matches. Parameters of media types are not looked at."""
    essence = media_type.partition(";")[0].strip().lower()
    patterns = {essence: 2, essence.partition("/")[0] + "/*": 1, "*/*": 0}
    found = [(patterns[name], quality) for name, quality in ranges if name in patterns]
    return max(found, default=(0, 0.0))[1]
