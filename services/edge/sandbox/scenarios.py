"""What a request may ask the sandbox to do, by a name in its field `metadata.sandbox`.

It decides the names, and which error each stands for. It must not know any format, nor how an answer travels.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.request import refuse
from oneapi.providers.sandbox.reply import Manner

METADATA, NAME = "metadata", "sandbox"
FIELD = f"{METADATA}.{NAME}"
RETRY_S = 1.0
"""Any time is true: the next request that asks for it gets the same."""


class Scenario(msgspec.Struct, frozen=True):
    """How to answer. `error` is said instead of an answer, or with `breaks` in the middle of its stream.

    `slow`: with pauses.
    """

    manner: Manner = Manner.PLAIN
    error: Callable[[], GatewayError] | None = None
    breaks: bool = False
    slow: bool = False


def _rate_limit() -> GatewayError:
    message = f"The sandbox says that a rate limit is reached, as `{FIELD}` asks."
    return GatewayError(429, "rate_limit", "rate_limit_exceeded", message, retry_after_s=RETRY_S)


def _overloaded() -> GatewayError:
    message = f"The sandbox says that it is overloaded, as `{FIELD}` asks."
    return GatewayError(503, "overloaded", "overloaded", message, retry_after_s=RETRY_S)


def _server_error() -> GatewayError:
    return GatewayError(500, "internal", "internal_error", f"The sandbox says that it failed, as `{FIELD}` asks.")


def _cut() -> GatewayError:
    return GatewayError(502, "upstream", "upstream_cut", f"The answer broke off, as `{FIELD}` asks.")


SCENARIOS: Mapping[str, Scenario] = {
    "tool_call": Scenario(Manner.TOOL_CALL),
    "refusal": Scenario(Manner.REFUSAL),
    "length": Scenario(Manner.LENGTH),
    "rate_limit": Scenario(error=_rate_limit),
    "overloaded": Scenario(error=_overloaded),
    "server_error": Scenario(error=_server_error),
    "mid_stream_error": Scenario(error=_cut, breaks=True),
    "slow": Scenario(slow=True),
}
PLAIN = Scenario()


def take(raw: Mapping[str, Any]) -> tuple[Scenario, dict[str, Any]]:
    """The scenario, and the request without its name. Raises GatewayError 400 for a name that isn't one."""
    metadata = raw.get(METADATA)
    if not isinstance(metadata, dict) or NAME not in metadata:
        return PLAIN, dict(raw)
    name = metadata[NAME]
    found = SCENARIOS.get(name) if isinstance(name, str) else None
    if found is None:
        raise refuse(f"'{FIELD}' must be one of: {', '.join(SCENARIOS)}.", FIELD, "invalid_value")
    rest = {key: value for key, value in metadata.items() if key != NAME}
    without = {key: value for key, value in raw.items() if key != METADATA}
    return found, {**without, METADATA: rest} if rest else without
