"""How much a model shall think, told by an effort or by a budget of tokens, and what of the one is what of the other.

The shares of the token cap are those that large aggregators publish. It must not know any format.
"""

from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.requests import EFFORTS, Effort, Thinking

MIN_BUDGET = 1024
_SHARES: dict[Effort, float] = {
    "none": 0,
    "minimal": 0.1,
    "low": 0.2,
    "medium": 0.5,
    "high": 0.8,
    "xhigh": 0.95,
    "max": 0.95,
}
_BOUNDS: tuple[tuple[float, Effort], ...] = ((0.15, "minimal"), (0.35, "low"), (0.65, "medium"), (0.9, "high"))


def effort_of(thinking: Thinking | None, cap: int | None) -> Effort | None:
    """The effort that a request asks for; None leaves it to the model."""
    if thinking is None:
        return None
    if thinking.enabled is False:
        return "none"
    if thinking.effort is not None:
        return thinking.effort
    if thinking.budget is None:
        return None
    share = thinking.budget / cap if cap else 0.5
    for bound, effort in _BOUNDS:
        if share < bound:
            return effort
    return "xhigh"


def budget_of(effort: Effort, cap: int) -> int | None:
    """The budget that is this effort's share of the cap; None where the cap leaves no room for one."""
    budget = max(int(cap * _SHARES[effort]), MIN_BUDGET)
    return budget if budget < cap else None


def fitted_budget(thinking: Thinking, effort: Effort, cap: int) -> int | None:
    """The budget for a model whose thoughts count against the cap; None where the cap leaves no room for one."""
    asked = thinking.budget
    budget = budget_of(effort, cap) if asked is None else max(min(asked, cap - 1), MIN_BUDGET)
    return budget if budget is not None and budget < cap else None


def clamp_effort(effort: Effort, sending: Sending) -> Effort | None:
    """The nearest effort below that the upstream's model knows, else the lowest; None where it can't be told."""
    profile = sending.profile
    if profile.thinking != "effort" or not profile.efforts:
        if effort != "none":
            sending.losses.add("effort")
        return None
    rank = EFFORTS.index(effort)
    known = sorted(profile.efforts, key=EFFORTS.index)
    below = [level for level in known if EFFORTS.index(level) <= rank]
    found = below[-1] if below else known[0]
    if found != effort:
        sending.losses.add("effort", f"{effort}:{found}")
    return found
