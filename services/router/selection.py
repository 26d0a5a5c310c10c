"""Decides the order in which channels are tried for one request, and who is left out because of its health.

Priority first (higher before lower). Among equals a weighted draw; with an affinity value a weighted rendezvous hash,
so that the same value prefers the same channel and a channel that comes or goes moves only its own share. A weight of
0 comes after all others of its priority.

How many may be out: of the channels that are neither waiting for a rate limit nor without a credential, at most half
are left out for failures. When more are ejected, those nearest to their return stay in the plan as a last resort,
after everything that works. When all of them are ejected nothing is let through but trials: each channel may be tried
once every 10 s, and between those the request is refused at once. Pure; randomness and health come as arguments.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.router.health import Phase, Standing
from services.router.routes import LeftOut, Reach, Route

ALL_COOLING = "all_cooling"
MAX_CANDIDATES = 8
"""An edge tries three channels at most; the rest of a long list would only cost bytes."""

_BEYOND = f"able to serve, but a plan holds {MAX_CANDIDATES} candidates at most"
_LAST_RESORT = "last resort, because more than half of the channels would be out: "
_TRIAL = "trial, because every channel rests: "


@dataclass(frozen=True, slots=True)
class Place:
    """One candidate of a plan. `trial` says that it rests and is being tried with this request."""

    route: Route
    reason: str
    trial: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """Candidates, best first; or a refusal, and with `all_cooling` the seconds until the next chance."""

    chosen: tuple[Place, ...]
    left_out: tuple[LeftOut, ...]
    refusal: str = ""
    retry_after_s: float = 0.0


def decide(
    reach: Reach, standing_of: Callable[[Route], Standing], affinity: str, draw: Callable[[], float]
) -> Decision:
    """The plan for one request. `draw` gives numbers from 0 to below 1."""
    if reach.refusal:
        return Decision((), reach.left_out, reach.refusal)
    usable: list[tuple[Route, Standing]] = []
    ejected: list[tuple[Route, Standing]] = []
    stopped: list[tuple[Route, Standing]] = []
    for route in reach.routes:
        standing = standing_of(route)
        phase = standing.phase
        (ejected if phase is Phase.EJECTED else stopped if phase is Phase.STOPPED else usable).append((route, standing))
    if not ejected and not stopped:
        return _plan(_ordered(usable, affinity, draw), [], reach.left_out)
    if not usable:
        due = [(route, standing) for route, standing in ejected if standing.trial_in_s <= 0]
        if not due:
            return _refusal(ejected, stopped, reach.left_out)
        places = [Place(place.route, _TRIAL + place.reason, trial=True) for place in _ordered(due, affinity, draw)]
        out = [pair for pair in ejected if pair not in due] + stopped
        return _plan(places, out, reach.left_out)
    spared = _spared(ejected, len(usable))
    places = _ordered(usable, affinity, draw)
    places += [Place(route, _LAST_RESORT + standing.reason, trial=True) for route, standing in spared]
    return _plan(places, [pair for pair in ejected if pair not in spared] + stopped, reach.left_out)


def _spared(ejected: Sequence[tuple[Route, Standing]], usable: int) -> list[tuple[Route, Standing]]:
    """The ejected that stay in the plan so that no more than half are out, the nearest to its return first."""
    surplus = len(ejected) - (len(ejected) + usable) // 2
    if surplus <= 0:
        return []
    return sorted(ejected, key=lambda pair: (pair[1].back_in_s, pair[0].channel_id))[:surplus]


def _plan(places: list[Place], out: Sequence[tuple[Route, Standing]], left_out: tuple[LeftOut, ...]) -> Decision:
    resting = tuple(_left_out(route, standing.reason) for route, standing in out)
    beyond = tuple(_left_out(place.route, _BEYOND) for place in places[MAX_CANDIDATES:])
    return Decision(tuple(places[:MAX_CANDIDATES]), resting + beyond + left_out)


def _refusal(
    ejected: Sequence[tuple[Route, Standing]], stopped: Sequence[tuple[Route, Standing]], left_out: tuple[LeftOut, ...]
) -> Decision:
    chances = [standing.trial_in_s for _, standing in ejected] + [standing.back_in_s for _, standing in stopped]
    resting = tuple(_left_out(route, standing.reason) for route, standing in (*ejected, *stopped))
    return Decision((), resting + left_out, ALL_COOLING, min(chances))


def _left_out(route: Route, reason: str) -> LeftOut:
    return LeftOut(route.channel_id, route.channel_name, route.upstream_model, reason)


def _ordered(usable: Sequence[tuple[Route, Standing]], affinity: str, draw: Callable[[], float]) -> list[Place]:
    """Every usable route in the order of trying. `usable` is by priority already."""
    if len(usable) == 1:
        return [_place(usable[0], "the only channel that can serve it now")]
    places: list[Place] = []
    start = 0
    while start < len(usable):
        priority = usable[start][0].priority
        end = start + 1
        while end < len(usable) and usable[end][0].priority == priority:
            end += 1
        places += _equals(usable[start:end], affinity, draw, first=not places)
        start = end
    return places


def _equals(
    equals: Sequence[tuple[Route, Standing]], affinity: str, draw: Callable[[], float], *, first: bool
) -> list[Place]:
    """Routes of one priority: ordered by -ln(u)/weight, which makes the first of them each with its share of weight.

    One that is half-open goes first: its trial costs this request an attempt at most, and ends its rest soonest.
    """
    priority = equals[0][0].priority
    if len(equals) == 1:
        word = "highest priority" if first else "fallback of lower priority"
        return [_place(equals[0], f"{word}, {priority}")]
    scored = []
    total = 0.0
    for pair in equals:
        route, standing = pair
        weight = route.weight * standing.share
        total += weight
        number = _hashed(affinity, route.channel_id) if affinity else 1.0 - draw()
        score = math.inf if weight <= 0 else -1.0 if standing.phase is Phase.HALF_OPEN else -math.log(number) / weight
        scored.append((score, route.channel_id, weight, pair))
    scored.sort()
    how = "preferred by affinity" if affinity else "drawn by weight"
    places: list[Place] = []
    for _, _, weight, pair in scored:
        word = how if first and not places else f"fallback, {how}"
        places.append(_place(pair, f"{word} {weight:g} of {total:g} at priority {priority}"))
    return places


def _place(pair: tuple[Route, Standing], reason: str) -> Place:
    route, standing = pair
    told = "; ".join(part for part in (reason, route.converted, standing.reason) if part)
    return Place(route, told, trial=standing.phase is Phase.HALF_OPEN)


def _hashed(affinity: str, channel_id: str) -> float:
    """A number above 0 and below 1 that depends on both texts only."""
    digest = hashlib.blake2b(f"{affinity}\n{channel_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest) + 0.5) / 2**64
