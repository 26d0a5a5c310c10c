"""Takes secrets out of text that is about to leave the process in a log or an error.

It decides what looks like a secret, and must not know where the text came from.
"""

import re

REDACTED = "[redacted]"

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL), REDACTED),
    (re.compile(r"\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=\-]{6,}", re.IGNORECASE), rf"\1\2{REDACTED}"),
    (re.compile(r"\beyJ[A-Za-z0-9_\-]{5,}\.[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]*)?"), REDACTED),
    (re.compile(r"\b(?:sk|rk|pk|oat|gsk|xai)-[A-Za-z0-9_\-]{8,}"), REDACTED),
    (re.compile(r"\bAIza[A-Za-z0-9_\-]{30,}"), REDACTED),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), REDACTED),
    (re.compile(r"\bv1\.[0-9a-f]{8}\.[A-Za-z0-9_\-]{20,}\.[A-Za-z0-9_\-]+"), REDACTED),
    # The last `@` before the path ends the user part, so a password may itself hold one.
    (re.compile(r"(\b[a-z][a-z0-9+.\-]*://)[^\s/?#\"'<>]+@", re.IGNORECASE), rf"\1{REDACTED}@"),
    (
        re.compile(
            r"((?:api[_-]?key|access[_-]?token|client[_-]?secret|password|[?&]key)\s*[=:]\s*)[^\s\"'&,;}]+",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
)
_SECRET_NAME = re.compile(
    r"(?:^|[_\-.])(?:authorization|cookie|password|passwd|secret|api[_\-]?key|x-api-key|credential|private[_\-]?key)s?$"
    r"|(?:^|[_\-.])(?:auth|access|refresh|bearer|management|admin)[_\-]?token$|^token$",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text with everything that looks like a key, token, PEM block, JWT or URL password replaced."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def names_a_secret(field: str) -> bool:
    """Whether a field of this name is taken to hold a secret, whatever its value looks like."""
    return _SECRET_NAME.search(field) is not None
