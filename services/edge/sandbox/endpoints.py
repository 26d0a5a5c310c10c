"""Where the sandbox answers: each format of conversations at its own address, below a prefix.

It must not know how they are answered.
"""

from services.edge.inference.endpoints import CONVERSATIONS

PREFIX = b"/sandbox"
ENDPOINTS = {PREFIX + row.path: row for row in CONVERSATIONS.values()}
