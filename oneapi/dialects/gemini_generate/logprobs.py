"""Log probabilities of an answer's tokens, both ways. The one model has them in OpenAI's shape."""

from typing import Any

from oneapi.dialects.canonical.reading import member, objects, string


def decode_logprobs(result: object) -> list[Any]:
    """One entry for each token, with the alternatives that were told."""
    tops = objects(member(result, "topCandidates"))
    return [
        {**_entry(token), "top_logprobs": [_entry(top) for top in objects(tops[place].get("candidates"))]}
        if place < len(tops)
        else {**_entry(token), "top_logprobs": []}
        for place, token in enumerate(objects(member(result, "chosenCandidates")))
    ]


def _entry(raw: dict[str, Any]) -> dict[str, Any]:
    token, told = string(raw.get("token")), raw.get("logProbability")
    number = float(told) if isinstance(told, int | float) and not isinstance(told, bool) else 0.0
    return {"token": token, "logprob": number, "bytes": list(token.encode("utf-8", "surrogatepass"))}


def encode_logprobs(logprobs: list[Any]) -> dict[str, Any]:
    """Google's object."""
    entries = objects(logprobs)
    value: dict[str, Any] = {"chosenCandidates": [_candidate(entry) for entry in entries]}
    tops = [[_candidate(top) for top in objects(entry.get("top_logprobs"))] for entry in entries]
    return value | ({"topCandidates": [{"candidates": top} for top in tops]} if any(tops) else {})


def _candidate(entry: dict[str, Any]) -> dict[str, Any]:
    return {"token": string(entry.get("token")), "logProbability": entry.get("logprob")}
