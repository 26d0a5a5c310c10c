"""How Google's format names files that its provider keeps: by a name alone, or by a URL at the provider.

It must not know whose a file is.
"""

import re
from urllib.parse import urlsplit

HOST = "generativelanguage.googleapis.com"
_NAME = re.compile(r"gs://[^\s\\]+|files/[A-Za-z0-9_-]+", re.IGNORECASE)


def is_name(uri: str) -> bool:
    """Whether it is the name of a stored file, which nobody could fetch as a URL."""
    return _NAME.fullmatch(uri) is not None


def is_stored(uri: str) -> bool:
    """Whether it is a name, or a URL at which the provider's own account alone finds something."""
    try:
        return is_name(uri) or (urlsplit(uri).hostname or "").rstrip(".") == HOST
    except ValueError:
        return False
