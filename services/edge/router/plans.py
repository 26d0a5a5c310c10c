"""Remembers the last plan of each kind of request, for the moment when no router answers.

It decides how long an old plan is good enough, and must not know how plans are made.
"""

from collections import OrderedDict

from proto.router.v1 import router_pb2

MAX_PLANS = 10_000

PlanKey = tuple[str, str, str, tuple[str, ...], tuple[str, ...]]
"""Model, group, endpoint, dialects, allowed channels: what a plan depends on."""


def plan_key(pick: router_pb2.PickRequest) -> PlanKey:
    """What the answer to a pick depends on."""
    return pick.model, pick.group, pick.endpoint, tuple(pick.dialects), tuple(pick.allowed_channels)


class LastPlans:
    """The last good plan per kind. Bounded: the one used longest ago goes first."""

    def __init__(self, grace_s: float, max_plans: int = MAX_PLANS) -> None:
        self._grace_s = grace_s
        self._max_plans = max_plans
        self._plans: OrderedDict[PlanKey, router_pb2.Plan] = OrderedDict()
        self._heard_at_s = float("-inf")

    def heard(self, now_s: float) -> None:
        """A router has just answered something: the grace starts anew when it falls silent."""
        self._heard_at_s = now_s

    def keep(self, key: PlanKey, plan: router_pb2.Plan) -> None:
        """Remembers a plan that names candidates, and forgets the kind when it names none."""
        if not plan.candidates:
            self._plans.pop(key, None)
            return
        self._plans[key] = plan
        self._plans.move_to_end(key)
        if len(self._plans) > self._max_plans:
            self._plans.popitem(last=False)

    def find(self, key: PlanKey, now_s: float) -> router_pb2.Plan | None:
        """The last plan of this kind, as long as a router was heard within the grace."""
        return self._plans.get(key) if self.fresh(now_s) else None

    def fresh(self, now_s: float) -> bool:
        """Whether a router was heard within the grace."""
        return now_s - self._heard_at_s <= self._grace_s
