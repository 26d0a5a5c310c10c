"""Answers picks from the catalog and the health of channels, and learns from outcomes.

It joins the pure parts (routes, health, selection) with their wire forms. The clock and randomness come from outside.
It must not know how requests and outcomes arrive.
"""

import logging
import math
from collections.abc import Callable, Iterable

from oneapi.catalog.types import Channel
from oneapi.catalog.view import CatalogView
from oneapi.runtime import semconv
from oneapi.runtime.metrics import counter
from proto.router.v1.router_pb2 import (
    OUTCOME_KIND_CLIENT_ERROR,
    OUTCOME_KIND_CONNECT_FAILED,
    OUTCOME_KIND_OK,
    OUTCOME_KIND_RATE_LIMITED,
    OUTCOME_KIND_SERVER_ERROR,
    OUTCOME_KIND_TIMEOUT,
    OUTCOME_KIND_UNAUTHORIZED,
    Candidate,
    Considered,
    Explanation,
    Outcome,
    PickRequest,
    Plan,
)
from services.router.health import HealthBoard, Kind, Standing
from services.router.routes import DEFAULT_GROUP, Ask, Defaults, Route, RoutingTable
from services.router.selection import Decision, decide

logger = logging.getLogger(__name__)

KINDS = {
    OUTCOME_KIND_OK: Kind.OK,
    OUTCOME_KIND_CONNECT_FAILED: Kind.CONNECT_FAILED,
    OUTCOME_KIND_TIMEOUT: Kind.TIMEOUT,
    OUTCOME_KIND_SERVER_ERROR: Kind.SERVER_ERROR,
    OUTCOME_KIND_RATE_LIMITED: Kind.RATE_LIMITED,
    OUTCOME_KIND_UNAUTHORIZED: Kind.UNAUTHORIZED,
    OUTCOME_KIND_CLIENT_ERROR: Kind.NEUTRAL,
}
"""A kind that a newer caller knows and we don't is passed over."""

PICKS = counter(semconv.METRIC_ROUTER_PICKS, "Picks answered")
REFUSALS = counter(semconv.METRIC_ROUTER_REFUSALS, "Picks that no channel can serve, by reason", ("reason",))
OUTCOMES = counter(semconv.METRIC_ROUTER_OUTCOMES, "Outcomes learned from, by kind", ("kind",))

_LARGEST_MS = 2**32 - 1


class Picker:
    """The router's knowledge. All calls are on one event loop and never wait."""

    def __init__(
        self,
        view_of: Callable[[], CatalogView],
        defaults: Callable[[str], Defaults | None],
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._view_of = view_of
        self._defaults = defaults
        self._clock = clock
        self._random = random
        self._table = RoutingTable(view_of(), defaults)
        self._board = HealthBoard(random)

    def pick(self, request: PickRequest) -> Plan:
        """The plan of one request."""
        table = self._current_table()
        decision = self._decide(table, request)
        now = self._clock()
        for place in decision.chosen:
            if place.trial:
                self._board.take_trial(place.route.channel_id, request.model, now)
        PICKS.inc()
        if decision.refusal:
            REFUSALS.labels(decision.refusal).inc()
        return Plan(
            pick_id=request.pick_id,
            candidates=[
                Candidate(
                    channel_id=place.route.channel_id,
                    upstream_model=place.route.upstream_model,
                    dialect=place.route.dialect,
                    reason=place.reason,
                )
                for place in decision.chosen
            ],
            refusal=decision.refusal,
            retry_after_ms=min(math.ceil(decision.retry_after_s * 1_000), _LARGEST_MS),
            catalog_revision=table.view.revision,
        )

    def explain(self, request: PickRequest) -> Explanation:
        """Every channel that has the model, with its place or the reason why it has none. Takes nobody's trial."""
        table = self._current_table()
        decision = self._decide(table, request)
        considered = [
            Considered(
                channel_id=place.route.channel_id,
                channel_name=place.route.channel_name,
                upstream_model=place.route.upstream_model,
                dialect=place.route.dialect,
                chosen=True,
                place=number,
                reason=place.reason,
            )
            for number, place in enumerate(decision.chosen, 1)
        ]
        considered += [
            Considered(
                channel_id=left.channel_id,
                channel_name=left.channel_name,
                upstream_model=left.upstream_model,
                reason=left.reason,
            )
            for left in decision.left_out
        ]
        return Explanation(considered=considered, refusal=decision.refusal, catalog_revision=table.view.revision)

    def learn(self, outcomes: Iterable[Outcome]) -> None:
        """Takes outcomes in; those of channels and models that the catalog does not have are passed over."""
        channels = self._current_table().view.channels
        now = self._clock()
        for outcome in outcomes:
            kind = KINDS.get(outcome.kind)
            channel = channels.get(outcome.channel_id)
            if kind is None or channel is None or outcome.model not in channel.models:
                continue
            OUTCOMES.labels(kind.name.lower()).inc()
            change = self._board.report(channel.id, outcome.model, kind, outcome.retry_after_ms / 1_000, now)
            if change is not None:
                fields = {"channel": channel.name, "channel_id": channel.id, "reason": change.reason}
                if change.model:
                    fields["model"] = change.model
                if change.resting:
                    logger.warning("a channel rests", extra={"fields": fields | {"seconds": round(change.seconds, 1)}})
                else:
                    logger.info("a channel is back", extra={"fields": fields})

    def resting(self) -> int:
        """How many pairs of channel and model rest now."""
        return self._board.resting(self._clock())

    def _decide(self, table: RoutingTable, request: PickRequest) -> Decision:
        model = request.model
        reach = table.reach(
            Ask(
                model=model,
                endpoint=request.endpoint,
                dialects=tuple(request.dialects),
                group=request.group or DEFAULT_GROUP,
                channels=tuple(request.allowed_channels),
            )
        )
        now = self._clock()

        def standing_of(route: Route) -> Standing:
            return self._board.standing(route.channel_id, model, now)

        return decide(reach, standing_of, request.affinity, self._random)

    def _current_table(self) -> RoutingTable:
        view = self._view_of()
        if view is not self._table.view:
            changed = [
                channel_id
                for channel_id, channel in self._table.view.channels.items()
                if not _same_upstream(channel, view.channels.get(channel_id))
            ]
            self._board.forget(changed)
            self._table = RoutingTable(view, self._defaults)
        return self._table


def _same_upstream(old: Channel, new: Channel | None) -> bool:
    """Whether what was learned about a channel still holds: the same place called with the same credential."""
    return new is not None and (
        old is new
        or (old.provider, old.base_url, old.api_key_sealed, old.headers_sealed, old.config, old.enabled)
        == (new.provider, new.base_url, new.api_key_sealed, new.headers_sealed, new.config, new.enabled)
    )
