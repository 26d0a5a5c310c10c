"""Decides which tools a key may see and call: its own list, or everything when it has none.

Names are compared as they are: another case, form or a space more is another name. It must not know the servers.
"""

from oneapi.catalog.types import RelayKey


def grants(key: RelayKey, tool: str) -> bool:
    """Whether the key may use the tool of this name, as clients see it."""
    return key.tools is None or tool in key.tools
