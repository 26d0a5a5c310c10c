"""JSON schemas, where a provider wants them stricter than a client wrote them. It must not know any format."""

from typing import Any

_INSIDE_MAPS = ("properties", "$defs", "definitions")
_INSIDE_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with `additionalProperties: false` at every object that doesn't say anything of them."""
    out = dict(schema)
    if out.get("type") == "object" or "properties" in out:
        out["additionalProperties"] = False
    for name in _INSIDE_MAPS:
        inner = out.get(name)
        if isinstance(inner, dict):
            out[name] = {key: _closed(value) for key, value in inner.items()}
    for name in _INSIDE_LISTS:
        several = out.get(name)
        if isinstance(several, list):
            out[name] = [_closed(value) for value in several]
    if "items" in out:
        out["items"] = _closed(out["items"])
    return out


def _closed(value: Any) -> Any:
    return closed(value) if isinstance(value, dict) else value
