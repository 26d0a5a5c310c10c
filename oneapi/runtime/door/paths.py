"""Finds paths that two readers could take differently.

It decides by the raw bytes of the path alone, before any routing. It must not know which paths exist.
"""

import re

_SLASH = rb"(?:/|%2f)"
_AMBIGUOUS = re.compile(
    rb"[^!-~]|[\\;\"<>^`{|}]"
    rb"|" + _SLASH + rb"{2}|" + _SLASH + rb"(?:\.|%2e){1,2}(?:" + _SLASH + rb"|$)"
    rb"|%(?:2e|5c|25|0[0-9a-f]|1[0-9a-f]|7f|c0|c1)|%(?![0-9a-f]{2})"
    # Letters and digits that nobody has to encode: /%61pi would pass whoever watches over /api.
    rb"|%(?:2d|3[0-9]|[46][1-9a-f]|[57][0-9a])",
    re.IGNORECASE,
)


def is_ambiguous(raw_path: bytes) -> bool:
    """Whether this path, without its query, could be read in two ways."""
    return not raw_path.startswith(b"/") or _AMBIGUOUS.search(raw_path) is not None
