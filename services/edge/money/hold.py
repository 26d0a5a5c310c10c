"""One admitted request, from its reservation to its terminal record.

It decides what is written down when, and that there is exactly one end. It must not know how requests are admitted, nor
what is served to the client.
"""

import contextlib
import time
from collections.abc import Mapping
from typing import Protocol

from services.edge.money import records, refusals, settlement
from services.edge.money.records import AttemptDone, Attempted, Checkpoint, Opened, Tent
from services.edge.money.reserve_call import Granted
from services.edge.money.settlement import NOT_OPENED, AttemptEntry, Charge, Ending
from services.edge.money.spool import SpoolUnavailable

CHECKPOINT_CALLS = 16
CHECKPOINT_S = 0.05
"""How often the count of what was delivered goes into the spool as well, for a loss of power."""
NO_SLOT = -1


class Desk(Protocol):
    """Where a hold's records go."""

    def append(self, kind: int, payload: bytes) -> int:
        """Puts a record into the spool. Raises SpoolUnavailable."""
        ...

    def flush(self) -> None:
        """Makes the records safe from a kill of this process. Raises SpoolUnavailable."""
        ...

    def take_slot(self, ticket: int) -> int:
        """A place for the count of delivered bytes, NO_SLOT when all are taken."""
        ...

    def count(self, slot: int, text_bytes: int) -> None:
        """Files the count of delivered bytes."""
        ...

    def close(self, hold: "Hold", ending: Ending, charged: Charge) -> None:
        """Writes the terminal record; never fails."""
        ...


class AttemptRecord:
    """One upstream call of a request, already in the spool."""

    __slots__ = ("_begun", "entry")

    def __init__(self, entry: AttemptEntry) -> None:
        self._begun = time.monotonic()
        self.entry = entry

    def done(self, status: int, outcome: str) -> None:
        """Says how the call ended: the upstream's status (0 for none) and one word. Only the first time counts."""
        if self.entry.done is None:
            elapsed = int((time.monotonic() - self._begun) * 1000)
            self.entry.done = AttemptDone(self.entry.begun.number, max(status, 0), outcome, elapsed)


class Hold:
    """A reservation. Times are ms of Redis' clock, amounts nano-USD.

    `hard` says that a limit holds: no more than `reserved_nano` will be charged. `rate_headers` are for the response.
    """

    __slots__ = (
        "_calls", "_charge", "_desk", "_noted", "_usage", "attempts", "begun", "lease_end_ms", "opened",
        "rate_headers", "slot", "tent", "ticket",
    )  # fmt: skip

    def __init__(self, desk: Desk, tent: Tent, ticket: int) -> None:
        self._desk = desk
        self.tent = tent
        self.ticket = ticket
        self.begun = time.monotonic()
        self.opened: Opened = NOT_OPENED
        self.rate_headers: tuple[tuple[bytes, bytes], ...] = ()
        self.attempts: list[AttemptEntry] = []
        self.slot = NO_SLOT
        self._calls = 0
        self._noted = 0.0
        self._usage: dict[str, int] | None = None
        self._charge: Charge | None = None

    @property
    def request_id(self) -> str:
        """Whose reservation it is."""
        return self.tent.request_id

    @property
    def reserved_nano(self) -> int:
        """What is held for the request."""
        return self.opened.reserved_nano

    @property
    def hard(self) -> bool:
        """Whether no more than the reservation will be charged."""
        return self.opened.hard

    @property
    def scopes(self) -> tuple[str, ...]:
        """Budgets that it counts against."""
        return self.opened.scopes

    @property
    def reserved_at_ms(self) -> int:
        """When it was admitted."""
        return self.opened.reserved_at_ms

    @property
    def finished(self) -> bool:
        """Whether it has had its end."""
        return self._charge is not None

    def grant(self, granted: Granted, reserved_nano: int, limits: tuple[int | None, int | None]) -> None:
        """Writes down what Redis granted. `limits` are the key's requests and tokens per minute.

        Raises SpoolUnavailable; then it must be finished as void.
        """
        self.opened = Opened(reserved_nano, granted.hard, granted.scopes, granted.reserved_at_ms, granted.lease_end_ms)
        self.rate_headers = rate_headers(granted, limits)
        self._desk.append(records.OPEN, records.encode_detail(self.ticket, self.opened))

    def attempt(
        self, channel_id: str, upstream_model: str, *, price_id: str = "", rates: dict[str, int] | None = None
    ) -> AttemptRecord:
        """Writes down an upstream call that is about to be made, with the price that it would be charged at.

        Raises GatewayError (503) when that can't be done; then the call must not be made.
        """
        begun = Attempted(len(self.attempts) + 1, channel_id, upstream_model, price_id, rates)
        try:
            # How the one before ended is only of use if this process dies: it is written when another follows.
            if self.attempts and (done := self.attempts[-1].done) is not None:
                self._desk.append(records.ATTEMPT_DONE, records.encode_detail(self.ticket, done))
            self._desk.append(records.ATTEMPT, records.encode_detail(self.ticket, begun))
            self._desk.flush()
        except SpoolUnavailable:
            raise refusals.usage_log_unavailable() from None
        entry = AttemptEntry(begun)
        self.attempts.append(entry)
        return AttemptRecord(entry)

    def checkpoint(self, text_bytes: int, usage: Mapping[str, int] | None = None) -> None:
        """Files how many bytes of content will have been delivered with what is sent next, and the usage so far.

        To be called before the bytes are sent. A process that is killed leaves the exact count; one that loses power
        leaves one that is at most 16 calls or 50 ms old, and not yet synced for 10 ms.
        """
        slot = self.slot
        if slot == NO_SLOT:
            slot = self.slot = self._desk.take_slot(self.ticket)
        told = usage is not None and usage != self._usage
        if slot != NO_SLOT:
            self._desk.count(slot, text_bytes)
            self._calls += 1
            if not told and self._calls < CHECKPOINT_CALLS and time.monotonic() - self._noted < CHECKPOINT_S:
                return
        if usage is not None:
            self._usage = dict(usage)
        self._calls = 0
        self._noted = time.monotonic()
        if self._charge is None:
            with contextlib.suppress(SpoolUnavailable):
                self._desk.append(
                    records.CHECKPOINT, records.encode_detail(self.ticket, Checkpoint(text_bytes, self._usage))
                )
                if told or slot == NO_SLOT:
                    self._desk.flush()

    def finish(self, ending: Ending) -> Charge:
        """Ends the request: writes the terminal record, then settles and ships in the background.

        Only the first ending counts; later calls return its charge. It never fails: a record that can't be written now
        is written as soon as the disk takes it, and until then the reservation stands.
        """
        if self._charge is None:
            self._charge = settlement.charge_for(ending, self.opened.reserved_nano, self.opened.hard)
            self._desk.close(self, ending, self._charge)
        return self._charge


def rate_headers(granted: Granted, limits: tuple[int | None, int | None]) -> tuple[tuple[bytes, bytes], ...]:
    """`x-ratelimit-*` as OpenAI's clients know them; none for a key without rates."""
    rpm, tpm = limits
    if rpm is None and tpm is None:
        return ()
    found: list[tuple[bytes, bytes]] = []
    for what, limit, left, reset_ms in (
        (b"requests", rpm, granted.rpm_left, granted.rpm_reset_ms),
        (b"tokens", tpm, granted.tpm_left, granted.tpm_reset_ms),
    ):
        if limit is not None:
            found += [
                (b"x-ratelimit-limit-" + what, b"%d" % limit),
                (b"x-ratelimit-remaining-" + what, b"%d" % left),
                (b"x-ratelimit-reset-" + what, b"%.3fs" % (reset_ms / 1000)),
            ]
    return tuple(found)
