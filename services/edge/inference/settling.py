"""Ends a request's money exactly once, whatever happened to it.

It decides what is counted, by the best evidence there is: the provider's usage, else what was delivered, else nothing.
It must not know how a reservation is kept.
"""

import functools
from collections.abc import Mapping, Sequence

from oneapi.catalog.view import CatalogView
from oneapi.dialects.usage import counted
from oneapi.pricing import rates
from oneapi.runtime import semconv
from oneapi.runtime.metrics import counter
from services.edge.inference.offers import INPUT_BUCKETS
from services.edge.money.path import AttemptRecord, Charge, Ending, Hold

COST = counter(semconv.METRIC_COST_NANO_USD, "What accounts were charged, in nano-USD")
HOUSE = counter(semconv.METRIC_HOUSE_NANO_USD, "What hard limits kept from accounts, in nano-USD")
TOKENS = counter(semconv.METRIC_TOKENS, "Tokens and units that were charged for, by bucket", ("bucket",))
_tokens = functools.cache(TOKENS.labels)

OK = "ok"
CLIENT_GONE = "client_gone"
UPSTREAM_ERROR = "upstream_error"
UPSTREAM_CUT = "upstream_cut"
VOID = "void"

PROVIDER = "provider"
COUNTED = "counted"
NONE = "none"
PER_CALL = "per_call"


class Settler:
    """The hold of one request until it is finished. Prices are those at the time of the reservation."""

    __slots__ = ("_model", "_view", "charge", "hold", "usage")

    def __init__(self, hold: Hold, view: CatalogView, model: str) -> None:
        self.hold = hold
        self._view = view
        self._model = model
        self.charge: Charge | None = None
        self.usage: dict[str, int] = {}

    @property
    def finished(self) -> bool:
        """Whether the terminal record has been written."""
        return self.charge is not None

    def attempt(self, channel_id: str, upstream_model: str, prompt_bytes: int) -> AttemptRecord:
        """Writes down that a channel is about to be called, and the price in case this process dies meanwhile."""
        price_id, resolved = self.price(channel_id, counted(prompt_bytes, 0))
        return self.hold.attempt(channel_id, upstream_model, price_id=price_id, rates=resolved)

    def finish(
        self,
        outcome: str,
        *,
        usage: Mapping[str, int] | None = None,
        evidence: str = NONE,
        channel_id: str = "",
        status: int = 0,
        first_byte_ms: int = 0,
        losses: Sequence[str] = (),
    ) -> Charge:
        """Writes the terminal record; the charge of the first call holds."""
        if self.charge is None:
            used = dict(usage or {})
            price_id, resolved = self.price(channel_id, used) if channel_id else ("", None)
            if resolved is not None and PER_CALL in resolved and evidence != NONE:
                used[PER_CALL] = 1
            self.usage = used
            ending = Ending(
                outcome=outcome,
                usage=used,
                evidence=evidence,
                price_id=price_id,
                rates=resolved,
                channel_id=channel_id,
                status=status,
                first_byte_ms=first_byte_ms,
                loss=tuple(losses),
            )
            self.charge = self.hold.finish(ending)
            COST.inc(self.charge.amount_nano)
            if self.charge.house_nano:
                HOUSE.inc(self.charge.house_nano)
            for bucket, count in used.items():
                _tokens(bucket).inc(count)
        return self.charge

    def price(self, channel_id: str, usage: Mapping[str, int]) -> tuple[str, dict[str, int] | None]:
        """The id and the rates that this usage is priced by; no rates when the model has no price there."""
        found = self._view.price(self._model, channel_id)
        at_ms = self.hold.reserved_at_ms
        version = rates.version_at(found.versions, at_ms) if found is not None else None
        if version is None:
            return "", None
        return version.id, rates.resolve(version, at_ms, sum(usage.get(bucket, 0) for bucket in INPUT_BUCKETS))
