"""Says whose a path is: the edge's own, mcp's, or admin's.

It decides by the raw bytes of the path, so that no two readers can take it differently. It must not know what any of
them answers.
"""

import enum
import re

from oneapi.runtime.door.paths import is_ambiguous
from oneapi.runtime.health import PATHS

MCP_PATH = b"/mcp"
OWN_PREFIXES = (
    b"/v1",
    b"/v2",
    b"/v1beta",
    b"/sandbox/v1",
    b"/openrouter/v1",
    b"/dashboard/billing",
    b"/api/paas/v4",
    b"/api/token",
)
GOOGLES_PREFIX = b"/v1beta"
GOOGLES_CALL = re.compile(rb"/v1(?:beta)?/models/([^?#]+):(generateContent|streamGenerateContent|countTokens)")
"""Of a model, by a verb."""
_NEVER_ELSEWHERE = frozenset({b"/metrics"})

_ENCODED_SLASH = re.compile(rb"%2f", re.IGNORECASE)
_MANAGEMENT_PREFIX = b"/api/"
_MODEL_PREFIXES = (b"/v1/models/", b"/v1beta/models/")


class Owner(enum.Enum):
    """Who answers a path; NOBODY for one that could be read in two ways."""

    EDGE = enum.auto()
    MCP = enum.auto()
    ADMIN = enum.auto()
    NOBODY = enum.auto()


def owner_of(raw_path: bytes) -> Owner:
    """Who answers this path, without its query."""
    if raw_path.startswith(_MODEL_PREFIXES):
        # Model ids hold slashes, also as %2F. They are looked up as a whole, and nothing is found by a wrong one.
        return Owner.EDGE
    if is_ambiguous(raw_path) or raw_path in _NEVER_ELSEWHERE:
        return Owner.NOBODY
    if _ENCODED_SLASH.search(raw_path) and not raw_path.startswith(_MANAGEMENT_PREFIX):
        # Only the management API has names with slashes in its paths.
        return Owner.NOBODY
    if raw_path in PATHS:
        return Owner.EDGE
    for prefix in OWN_PREFIXES:
        if raw_path.startswith(prefix) and raw_path[len(prefix) : len(prefix) + 1] in {b"", b"/"}:
            return Owner.EDGE
    return Owner.MCP if raw_path == MCP_PATH else Owner.ADMIN


def is_googles(raw_path: bytes) -> bool:
    """Whether a path, without its query, is one of Google's, there or not."""
    if raw_path.startswith(GOOGLES_PREFIX) and raw_path[len(GOOGLES_PREFIX) : len(GOOGLES_PREFIX) + 1] in {b"", b"/"}:
        return True
    return GOOGLES_CALL.fullmatch(raw_path) is not None
