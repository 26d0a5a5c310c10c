"""Google's JSON takes each field's name in two spellings, `fileUri` and `file_uri`, and base64 in two alphabets.

Here each has one.

Only names that Google defined are respelled: arguments and schemas are the client's own words.
"""

import re
from collections.abc import Mapping
from typing import Any

_LOWER = re.compile(r"_([a-z0-9])")


def camel(value: object) -> dict[str, Any]:
    """An object with its names in camelCase; empty for what is no object."""
    if not isinstance(value, Mapping):
        return {}
    return {name if "_" not in name else _LOWER.sub(_upper, name): inner for name, inner in value.items()}


def _upper(found: re.Match[str]) -> str:
    return found[1].upper()


def standard_base64(text: str) -> str:
    """Base64 in the alphabet that everybody else reads: Google's SDKs write the one for addresses."""
    return text.replace("-", "+").replace("_", "/") if "-" in text or "_" in text else text


def field(value: object, name: str) -> Any:
    """One field of what may not be an object, in either spelling."""
    if not isinstance(value, dict):
        return None
    return value[name] if name in value else camel(value).get(name)
