"""What a client is told when the money path doesn't let its request in.

It decides statuses, codes, words and numbers: 402 for what waiting doesn't cure, 429 with a time to wait for rates, 503
when it can't be known. It must not know how the answer came about.
"""

import datetime as dt
import math

from oneapi.dialects.errors import GatewayError
from oneapi.pricing.money import usd_text
from services.edge.money.reserve_call import Refused

QUOTA_RETRY_S = 2.0
_RATES = {
    "rpm": ("make", "requests per minute", "requests_per_minute_exceeded"),
    "tpm": ("use", "tokens per minute", "tokens_per_minute_exceeded"),
    "concurrency": ("make", "requests at a time", "concurrency_exceeded"),
}


def refusal(refused: Refused, needed_nano: int) -> GatewayError:
    """The error for a refusal of Redis; `needed_nano` is what the request wanted to reserve."""
    if refused.rule in _RATES:
        return _rate(refused)
    return _budget(refused, needed_nano)


def quota_unavailable() -> GatewayError:
    """Whether there is money can't be found out right now."""
    return GatewayError(
        503,
        "overloaded",
        "quota_unavailable",
        "Budgets and balances can't be checked right now.",
        retry_after_s=QUOTA_RETRY_S,
    )


def usage_log_unavailable() -> GatewayError:
    """What requests cost can't be written down right now. Why is in the log and in `/readyz`, not for clients."""
    return GatewayError(
        503,
        "overloaded",
        "usage_log_unavailable",
        "Usage can't be recorded right now.",
        retry_after_s=QUOTA_RETRY_S,
    )


def bad_budget() -> GatewayError:
    """The key's budget has a window or a time zone that this edge doesn't know."""
    return GatewayError(500, "internal", "budget_misconfigured", "A budget of this key can't be evaluated.")


def _rate(refused: Refused) -> GatewayError:
    may, what, code = _RATES[refused.rule]
    wait_s = max(1.0, math.ceil(refused.until_ms / 1000))
    return GatewayError(
        429,
        "rate_limit",
        code,
        f"This key may {may} {refused.limit} {what}, and {refused.used} are taken. Try again in {wait_s:.0f} s.",
        retry_after_s=wait_s,
        details={"rule": refused.rule, "limit": refused.limit, "used": refused.used, "retry_after_s": wait_s},
    )


def _budget(refused: Refused, needed_nano: int) -> GatewayError:
    limit, used, needed = usd_text(refused.limit), usd_text(refused.used), usd_text(needed_nano)
    details: dict[str, object] = {"rule": refused.rule, "limit_usd": limit, "used_usd": used, "needed_usd": needed}
    if refused.rule == "credits":
        code = "insufficient_credit"
        text = (
            f"The account's credit is {limit} USD, {used} USD of it are used or held, and this may cost {needed} USD."
        )
    else:
        window = refused.scope.split(":")[2] if refused.scope.count(":") > 1 else "total"
        code = "budget_exceeded"
        text = (
            f"This key's budget ({window}) is {limit} USD, {used} USD of it are used or held, "
            f"and this may cost {needed} USD."
        )
        details |= {"window": window, "scope": refused.scope}
        if refused.until_ms:
            reset = dt.datetime.fromtimestamp(refused.until_ms / 1000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            text += f" It resets at {reset}."
            details["resets_at"] = reset
    return GatewayError(402, "budget", code, text, details=details)
