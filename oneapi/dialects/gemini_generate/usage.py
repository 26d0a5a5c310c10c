"""Usage of an answer in disjoint buckets.

Google counts cached tokens inside the prompt, and thoughts and the input of its own tools beside everything else. What
was sound or pictures is told per modality; the cached part of either counts as cached. A grounded answer names its
searches, which are billed one by one.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneapi.dialects.canonical.reading import objects
from oneapi.dialects.usage import UNREADABLE, Usage, count, without_zeros


class _Answer(msgspec.Struct):
    usageMetadata: Any = None  # noqa: N815
    candidates: Any = None


_decoder = msgspec.json.Decoder(_Answer)
_AUDIO, _IMAGE = "AUDIO", "IMAGE"


def read_usage(body: bytes) -> Usage | None:
    """The usage of a whole answer; None when it has none, or only zeros, or can't be read."""
    try:
        answer = _decoder.decode(body)
    except UNREADABLE:
        return None
    return usage_of(answer.usageMetadata, answer.candidates)


def usage_of(metadata: object, candidates: object) -> Usage | None:
    """The buckets of an answer that tells any, and its searches."""
    found = buckets(metadata) if isinstance(metadata, dict) else {}
    searched = searches(candidates)
    return {**found, "search": searched} if found and searched else found or None


def searches(candidates: object) -> int:
    """How many searches on the web all candidates name."""
    return sum(len(queries(candidate.get("groundingMetadata"))) for candidate in objects(candidates))


def queries(grounding: object) -> list[str]:
    """The searches of one candidate, each once."""
    told = grounding.get("webSearchQueries") if isinstance(grounding, dict) else None
    found = [query for query in told if isinstance(query, str) and query] if isinstance(told, list) else []
    return list(dict.fromkeys(found))


def buckets(usage: Mapping[str, Any]) -> Usage:
    """Google's usage object in buckets, empty when all of it is zero."""
    prompt, tools = count(usage, "promptTokenCount"), count(usage, "toolUsePromptTokenCount")
    made, thoughts = count(usage, "candidatesTokenCount"), count(usage, "thoughtsTokenCount")
    total = count(usage, "totalTokenCount")
    if 0 < thoughts <= made and total and prompt + tools + made == total:
        made -= thoughts  # A server that counts thoughts inside the candidates gives itself away by its total.
    cached = min(count(usage, "cachedContentTokenCount"), prompt)
    audio = _modality(usage, _AUDIO, "promptTokensDetails", "toolUsePromptTokensDetails")
    image = _modality(usage, _IMAGE, "promptTokensDetails", "toolUsePromptTokensDetails")
    left = prompt + tools - cached
    audio = min(max(audio - _modality(usage, _AUDIO, "cacheTokensDetails"), 0), left)
    image = min(max(image - _modality(usage, _IMAGE, "cacheTokensDetails"), 0), left - audio)
    said = min(_modality(usage, _AUDIO, "candidatesTokensDetails"), made)
    drawn = min(_modality(usage, _IMAGE, "candidatesTokensDetails"), made - said)
    return without_zeros(
        {
            "input": left - audio - image,
            "cached_input": cached,
            "audio_input": audio,
            "image_input": image,
            "output": made - said - drawn,
            "reasoning": thoughts,
            "audio_output": said,
            "image_output": drawn,
        }
    )


def _modality(usage: Mapping[str, Any], modality: str, *lists: str) -> int:
    return sum(
        count(detail, "tokenCount")
        for name in lists
        for detail in objects(usage.get(name))
        if detail.get("modality") == modality
    )
