"""What browsers are told of the sandbox, so that pages of any origin may call it.

It decides that all may: nothing that a browser keeps for this origin counts here, so there is nothing to protect.
"""

METHODS = b"POST, OPTIONS"
ANY_ORIGIN = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-request-id, request-id, retry-after"),
)
PREFLIGHT = (
    (b"access-control-allow-methods", METHODS),
    # A star stands for every header but that one, which SDKs send.
    (b"access-control-allow-headers", b"*, authorization"),
    (b"access-control-max-age", b"86400"),
    (b"allow", METHODS),
)
