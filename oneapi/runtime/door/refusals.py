"""What the door itself says to a client: one function each, with its status, code and words.

It decides the texts, which never repeat what the client sent. It must not know in which format they are written.
"""

import math

from oneapi.dialects.errors import GatewayError

OVERLOAD_RETRY_S = 2.0


def malformed_request() -> GatewayError:
    return GatewayError(400, "invalid_request", "malformed_request", "The HTTP request is malformed.")


def headers_too_large() -> GatewayError:
    return GatewayError(431, "invalid_request", "headers_too_large", "The request's headers are too large.")


def url_too_long() -> GatewayError:
    return GatewayError(414, "invalid_request", "url_too_long", "The request's URL is too long.")


def request_timeout() -> GatewayError:
    return GatewayError(408, "timeout", "request_timeout", "The request did not arrive in time.")


def body_too_large(limit_bytes: int) -> GatewayError:
    return GatewayError(
        413, "too_large", "request_too_large", f"The request's body is larger than {limit_bytes // 2**20} MiB."
    )


def path_not_found() -> GatewayError:
    return GatewayError(404, "not_found", "not_found", "There is nothing at this path.")


def too_many_failures(retry_after_s: float) -> GatewayError:
    return GatewayError(
        429,
        "rate_limit",
        "auth_rate_limited",
        "Too many requests with bad credentials came from this address.",
        retry_after_s=max(1.0, math.ceil(retry_after_s)),
    )


def overloaded() -> GatewayError:
    return GatewayError(
        503, "overloaded", "overloaded", "The gateway is busy. Try again shortly.", retry_after_s=OVERLOAD_RETRY_S
    )
