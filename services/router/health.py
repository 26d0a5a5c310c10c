"""Decides from outcomes which channels rest, for how long, and how they come back.

Health is kept per channel and model, a credential's per channel:

- Five gateway failures in a row, or half of at least 20 outcomes in 10 s, eject a model of a channel for 10 s times
  the number of ejections in a row (at most 5 min, ±25 % jitter). After that it is half-open: one trial at a time. A
  trial that succeeds brings it back with a share that grows over 30 s; one that fails ejects it for longer.
- A 429 (or a 503 with Retry-After) rests the model for what the upstream asked, at most 5 min, else for a short time.
- A 401 or 403 takes the channel's credential out for minutes, unless it served another model within the last minute:
  then only this model rests.

How many channels of a model may be out at once is `selection`'s decision. The clock (monotonic seconds) comes with
each call, and randomness at the start. It must not know the catalog, the bus or the wire.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto

FAILURES_IN_ROW = 5
WINDOW_S = 10
WINDOW_MIN_OUTCOMES = 20
WINDOW_FAILED_SHARE = 0.5
EJECTION_S = 10.0
EJECTION_CAP_S = 300.0
DECAY_S = 60.0
"""Each minute in good health takes one ejection off the count of those in a row."""
JITTER = 0.25
TRIAL_S = 10.0
"""A trial holds its place for so long, or until its outcome is known."""
RAMP_S = 30.0
RAMP_FROM = 0.1
RATE_LIMIT_S = 2.0
RATE_LIMIT_LONGEST_S = 30.0
RETRY_AFTER_CAP_S = 300.0
CREDENTIAL_S = 300.0
CREDENTIAL_CAP_S = 3_600.0
CREDENTIAL_GOOD_S = 60.0


class Kind(Enum):
    """What an outcome says about a channel."""

    OK = auto()
    CONNECT_FAILED = auto()
    TIMEOUT = auto()
    SERVER_ERROR = auto()
    RATE_LIMITED = auto()
    UNAUTHORIZED = auto()
    NEUTRAL = auto()
    """The caller's own mistake: nothing about the channel, except that a trial is over."""


_FAILURES = frozenset({Kind.CONNECT_FAILED, Kind.TIMEOUT, Kind.SERVER_ERROR})


class Phase(Enum):
    """Where a channel stands for a model."""

    CLEAR = auto()
    HALF_OPEN = auto()
    """Its rest is over and the next request is its trial."""
    EJECTED = auto()
    """Resting after failures, or half-open with its trial under way."""
    STOPPED = auto()
    """Asked to wait, or without a valid credential: trying is pointless."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a channel stands for a model at one instant."""

    phase: Phase = Phase.CLEAR
    share: float = 1.0
    """Part of its weight that counts, below 1 while it comes back."""
    back_in_s: float = 0.0
    """Seconds until it may be used again."""
    trial_in_s: float = 0.0
    """Seconds until it may be tried although it is ejected, when nothing else is left."""
    reason: str = ""


CLEAR = Standing()


@dataclass(frozen=True, slots=True)
class Change:
    """A turn in the health of a channel, for the log. `model` is empty when it concerns the whole channel."""

    channel_id: str
    model: str
    resting: bool
    seconds: float
    reason: str


class _Rest:
    """Being out for a time that grows with each repetition, then half-open until a trial decides."""

    __slots__ = ("_cap_s", "_healthy_since", "_step_s", "_times", "_tried", "out", "reason", "trial_at", "until")

    def __init__(self, step_s: float, cap_s: float) -> None:
        self._step_s = step_s
        self._cap_s = cap_s
        self._times = 0
        self._healthy_since = 0.0
        self._tried = False
        self.out = False
        self.until = 0.0
        self.trial_at = 0.0
        self.reason = ""

    def begin(self, now: float, reason: str, jitter: float) -> float:
        """Goes out; `jitter` is a factor around 1. Returns the seconds."""
        if not self.out:
            self._times = max(0, self._times - int((now - self._healthy_since) / DECAY_S))
        self._times += 1
        seconds = min(self._step_s * self._times, self._cap_s) * jitter
        self.out = True
        self.until = now + seconds
        self.trial_at = now + min(seconds, self._step_s * jitter)
        self._tried = False
        self.reason = reason
        return seconds

    def end(self, now: float) -> None:
        self.out = False
        self._healthy_since = now

    def try_once(self, now: float, jitter: float) -> None:
        self._tried = True
        self.trial_at = now + TRIAL_S * jitter

    def free_trial(self, now: float) -> None:
        if self._tried:
            self.trial_at = min(self.trial_at, now)

    def counts(self, now: float) -> bool:
        """Whether an outcome is about the time since it went out, and not of a request that began before."""
        return self._tried or now >= self.until


class _Window:
    """Outcomes of the last 10 s, by second."""

    __slots__ = ("_failed", "_second", "_total")

    def __init__(self) -> None:
        self._second = 0
        self._total = [0] * WINDOW_S
        self._failed = [0] * WINDOW_S

    def add(self, now: float, *, failed: bool) -> None:
        second = int(now)
        if second > self._second:
            for passed in range(max(self._second + 1, second - WINDOW_S + 1), second + 1):
                self._total[passed % WINDOW_S] = self._failed[passed % WINDOW_S] = 0
            self._second = second
        self._total[self._second % WINDOW_S] += 1
        self._failed[self._second % WINDOW_S] += failed

    def too_many_failed(self) -> bool:
        total = sum(self._total)
        return total >= WINDOW_MIN_OUTCOMES and sum(self._failed) >= total * WINDOW_FAILED_SHARE

    def clear(self) -> None:
        self._total = [0] * WINDOW_S
        self._failed = [0] * WINDOW_S


class _Pair:
    """One model of one channel."""

    __slots__ = (
        "denied", "ejected", "failures_in_row", "limited_times", "limited_until", "limited_why", "ok_at",
        "recovered_at", "window",
    )  # fmt: skip

    def __init__(self) -> None:
        self.failures_in_row = 0
        self.window = _Window()
        self.ejected = _Rest(EJECTION_S, EJECTION_CAP_S)
        self.denied = _Rest(CREDENTIAL_S, CREDENTIAL_CAP_S)
        self.limited_until = 0.0
        self.limited_times = 0
        self.limited_why = ""
        self.recovered_at: float | None = None
        self.ok_at: float | None = None


class _Channel:
    __slots__ = ("credential", "pairs")

    def __init__(self) -> None:
        self.credential = _Rest(CREDENTIAL_S, CREDENTIAL_CAP_S)
        self.pairs: dict[str, _Pair] = {}


class HealthBoard:
    """The health of every channel that something is known about. `random` gives numbers from 0 to below 1.

    The caller only reports channels and models that exist, so that memory is bounded by the catalog.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._channels: dict[str, _Channel] = {}

    def standing(self, channel_id: str, model: str, now: float) -> Standing:
        """How the channel stands for the model at `now`."""
        channel = self._channels.get(channel_id)
        if channel is None:
            return CLEAR
        if channel.credential.out:
            return _resting(channel.credential, now, Phase.STOPPED)
        pair = channel.pairs.get(model)
        if pair is None:
            return CLEAR
        if pair.denied.out:
            return _resting(pair.denied, now, Phase.STOPPED)
        if pair.limited_until > now:
            wait = pair.limited_until - now
            return Standing(Phase.STOPPED, back_in_s=wait, reason=f"waits {wait:.1f} s more: {pair.limited_why}")
        if pair.ejected.out:
            return _resting(pair.ejected, now, Phase.EJECTED)
        if pair.recovered_at is None:
            return CLEAR
        share = RAMP_FROM + (1.0 - RAMP_FROM) * (now - pair.recovered_at) / RAMP_S
        if share >= 1.0:
            pair.recovered_at = None
            return CLEAR
        return Standing(share=share, reason=f"coming back, {share:.0%} of its share")

    def take_trial(self, channel_id: str, model: str, now: float) -> None:
        """Notes that a request tries this resting channel: until its outcome, or for 10 s, nobody else does."""
        channel = self._channels.get(channel_id)
        if channel is None:
            return
        pair = channel.pairs.get(model)
        for rest in (channel.credential, *((pair.denied, pair.ejected) if pair else ())):
            if rest.out:
                rest.try_once(now, self._jitter())

    def report(self, channel_id: str, model: str, kind: Kind, retry_after_s: float, now: float) -> Change | None:
        """Learns from an outcome. `retry_after_s` is what the upstream asked for, 0 when nothing."""
        channel = self._channels.setdefault(channel_id, _Channel())
        pair = channel.pairs.setdefault(model, _Pair())
        if kind is Kind.NEUTRAL:
            for rest in (channel.credential, pair.denied, pair.ejected):
                rest.free_trial(now)
            return None
        if kind is Kind.UNAUTHORIZED:
            reason = self._unauthorized(channel, pair, now)
        elif kind in _FAILURES:
            reason = self._failure(pair, kind, now)
        else:
            reason = self._answered(channel, pair, now, ok=kind is Kind.OK)
        if kind is Kind.RATE_LIMITED or (kind is Kind.SERVER_ERROR and retry_after_s > 0):
            reason = self._limit(pair, retry_after_s, now, limited=kind is Kind.RATE_LIMITED) or reason
        if reason is None:
            return None
        standing = self.standing(channel_id, model, now)
        whole = channel.credential.out
        resting = standing.phase is not Phase.CLEAR
        return Change(channel_id, "" if whole else model, resting, standing.back_in_s, reason)

    def forget(self, channel_ids: Iterable[str]) -> None:
        """Starts anew with these channels: they were changed or removed."""
        for channel_id in channel_ids:
            self._channels.pop(channel_id, None)

    def resting(self, now: float) -> int:
        """How many pairs of channel and model are known to rest."""
        return sum(
            self.standing(channel_id, model, now).phase in {Phase.EJECTED, Phase.STOPPED}
            for channel_id, channel in self._channels.items()
            for model in channel.pairs
        )

    def _jitter(self) -> float:
        return 1.0 - JITTER + 2.0 * JITTER * self._random()

    def _answered(self, channel: _Channel, pair: _Pair, now: float, *, ok: bool) -> str | None:
        """An answer that is no failure. A 429 shows that the upstream lives too, but nothing good beyond that."""
        came_back = False
        pair.failures_in_row = 0
        if ok:
            pair.window.add(now, failed=False)
            pair.ok_at = now
            if now >= pair.limited_until:
                pair.limited_times = 0
        for rest in (channel.credential, pair.denied, pair.ejected):
            if rest.out and rest.counts(now) and (ok or rest is pair.ejected):
                rest.end(now)
                came_back = True
        if not came_back:
            return None
        pair.recovered_at = now
        return "answers again"

    def _failure(self, pair: _Pair, kind: Kind, now: float) -> str | None:
        word = kind.name.lower().replace("_", " ")
        if pair.ejected.out:
            if not pair.ejected.counts(now):
                return None
            reason = f"its trial failed: {word}"
        else:
            pair.failures_in_row += 1
            pair.window.add(now, failed=True)
            if pair.failures_in_row >= FAILURES_IN_ROW:
                reason = f"{pair.failures_in_row} failures in a row, the last: {word}"
            elif pair.window.too_many_failed():
                reason = f"at least half of its requests failed within {WINDOW_S} s, the last: {word}"
            else:
                return None
        pair.failures_in_row = 0
        pair.window.clear()
        pair.recovered_at = None
        pair.ejected.begin(now, reason, self._jitter())
        return reason

    def _limit(self, pair: _Pair, retry_after_s: float, now: float, *, limited: bool) -> str | None:
        if retry_after_s > 0:
            # Never earlier than asked: jitter only adds.
            seconds = min(retry_after_s, RETRY_AFTER_CAP_S) * (1.0 + JITTER * self._random())
        elif now < pair.limited_until:
            return None
        else:
            pair.limited_times += 1
            seconds = min(RATE_LIMIT_S * 2.0 ** min(pair.limited_times - 1, 10), RATE_LIMIT_LONGEST_S) * self._jitter()
        if now + seconds <= pair.limited_until:
            return None
        began = now >= pair.limited_until
        pair.limited_until = now + seconds
        pair.limited_why = "rate-limited by the upstream" if limited else "the upstream asked to wait"
        return pair.limited_why if began else None

    def _unauthorized(self, channel: _Channel, pair: _Pair, now: float) -> str | None:
        pair.failures_in_row = 0
        if pair.ejected.out and pair.ejected.counts(now):
            pair.ejected.end(now)
        works_elsewhere = any(
            other is not pair and other.ok_at is not None and now - other.ok_at < CREDENTIAL_GOOD_S
            for other in channel.pairs.values()
        )
        rest = pair.denied if works_elsewhere and not channel.credential.out else channel.credential
        if rest.out and not rest.counts(now):
            return None
        reason = (
            "the upstream refuses this model to its credential"
            if rest is pair.denied
            else "the upstream refuses its credential"
        )
        rest.begin(now, reason, self._jitter())
        return reason


def _resting(rest: _Rest, now: float, phase: Phase) -> Standing:
    if now < rest.until:
        wait = rest.until - now
        reason = f"cools down for {wait:.1f} s more: {rest.reason}"
        return Standing(phase, back_in_s=wait, trial_in_s=max(0.0, rest.trial_at - now), reason=reason)
    if now < rest.trial_at:
        wait = rest.trial_at - now
        reason = f"half-open, and its trial is under way: {rest.reason}"
        return Standing(phase, back_in_s=wait, trial_in_s=wait, reason=reason)
    return Standing(Phase.HALF_OPEN, share=1.0, reason=f"half-open: one trial at a time after {rest.reason}")
