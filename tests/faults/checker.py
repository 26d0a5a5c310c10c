"""Compares what the upstream served, what clients received and what the ledger holds, and names the invariant broken.

Pure: it is given the evidence. The names are those of the money path's invariants:

    I1   no limit is exceeded at any instant, nor (I1') by what was charged in the end
    I2   Redis agrees with the ledger, and nothing is held any more
    I3   every request that was granted is in the ledger
    I4   and it is there once
    I5   what was delivered is what was billed
    I7   nothing is in the ledger that no edge began
    I8   nothing stays open, and a hold is replaced by what was really used
    I9   everything that an edge wrote down as ended is in the stream
    I10  a refusal costs nothing
    OK   nobody with a good key and a good request is told that they are not
    IV   `oneapi ledger verify` is satisfied
"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from tests.faults.evidence import Evidence, Limits, Row
from tests.faults.load import Asked

REFUSED = {402, 429}
WRONG = {401, 403, 404, 500}
MOST_SHOWN = 5
"""Complaints of one invariant that are kept; the others are counted."""


@dataclasses.dataclass
class Verdict:
    """Numbers of the last line, and a sentence for each thing that is wrong.

    `requests` counts those that an edge's admission decided on: answered with 200, refused by a limit (402, 429), or
    without an answer at the client but with a line in the ledger.
    """

    requests: int = 0
    lost: int = 0
    double: int = 0
    inexact: int = 0
    overspend_nano: int = 0
    samples: int = 0
    broken: Counter[str] = dataclasses.field(default_factory=Counter)
    complaints: list[str] = dataclasses.field(default_factory=list)

    def complain(self, invariant: str, what: str) -> None:
        self.broken[invariant] += 1
        if self.broken[invariant] <= MOST_SHOWN:
            self.complaints.append(f"{invariant}: {what}")

    @property
    def good(self) -> bool:
        return not (self.lost or self.double or self.inexact or self.overspend_nano or self.broken)


def judge(evidence: Evidence, asked: Sequence[Asked], limits: Limits) -> Verdict:
    """The verdict on a whole run."""
    verdict = Verdict(samples=evidence.samples)
    by_id: dict[str, list[Row]] = defaultdict(list)
    by_marker: dict[str, list[Row]] = defaultdict(list)
    for row in evidence.rows:
        by_id[row.request_id].append(row)
        by_marker[row.marker].append(row)
    served: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in evidence.served:
        served[entry["body"]["messages"][0]["content"]].append(entry)
    for request in asked:
        found = by_id.get(request.request_id) or by_marker.get(request.marker) or []
        verdict.requests += request.status == 200 or request.status in REFUSED or bool(found)
        _check_client(verdict, request, found, served.get(request.marker, []))
    for marker, entries in served.items():
        _check_upstream(verdict, marker, entries, by_marker)
    _check_rows(verdict, evidence, limits)
    _check_spools(verdict, evidence)
    _check_counters(verdict, evidence)
    for excess in evidence.excesses:
        verdict.complain("I1", excess)
    for what in evidence.unsettled:
        verdict.complain("I8", what)
    if evidence.proof:
        verdict.complain("IV", f"ledger verify: {evidence.proof}")
    return verdict


def _check_client(verdict: Verdict, request: Asked, found: list[Row], served: list[dict[str, Any]]) -> None:
    if request.status in WRONG:
        verdict.complain("OK", f"{request.marker} was told {request.status}: {request.error}")
    if request.status != 200:
        if request.status in {*REFUSED, 503} and not served and any(row.amount or row.house for row in found):
            verdict.inexact += 1
            verdict.complain("I10", f"{request.marker} was refused with {request.status} and costs {found[0]}")
        return
    if not found:
        verdict.lost += 1
        verdict.complain("I3", f"{request.marker} was answered and is not in the ledger")
        return
    if len(found) > 1:
        verdict.double += 1
        verdict.complain("I4", f"{request.marker} has {len(found)} rows")
    row = max(found, key=lambda row: row.evidence != "hold")
    billed = row.usage.get("output", 0)
    if row.evidence == "hold":
        verdict.inexact += 1
        verdict.complain("I8", f"{request.marker} was answered and is only held")
    elif request.whole and billed != request.tokens:
        verdict.inexact += 1
        verdict.complain("I5", f"{request.marker} received {request.tokens} tokens whole and is billed {billed}: {row}")
    elif billed < request.tokens:
        verdict.inexact += 1
        verdict.complain("I5", f"{request.marker} received {request.tokens} tokens and is billed {billed}: {row}")


def _check_upstream(
    verdict: Verdict, marker: str, entries: list[dict[str, Any]], by_marker: dict[str, list[Row]]
) -> None:
    """Every upstream answer is accounted for, by one row, and nobody pays for more than was sent."""
    good = [entry for entry in entries if entry["status"] == 200 and entry["tokens"]]
    if not good:
        return
    found = by_marker.get(marker, [])
    if len(found) != 1:
        verdict.lost += not found
        verdict.double += len(found) > 1
        what = f"the upstream served {marker} and the ledger has {len(found)} rows for it"
        verdict.complain("I4" if found else "I3", what)
        return
    sent = sum(entry["tokens"] for entry in good)
    if found[0].usage.get("output", 0) > sent:
        verdict.inexact += 1
        verdict.complain("I5", f"{marker} is billed {found[0].usage}, the upstream sent {sent}")


def _check_rows(verdict: Verdict, evidence: Evidence, limits: Limits) -> None:
    for row in evidence.rows:
        expected = sum(count * limits.rates[bucket] for bucket, count in row.usage.items())
        if row.evidence != "hold" and row.amount + row.house != expected:
            verdict.inexact += 1
            verdict.complain("I5", f"{row.request_id} costs {row.amount}+{row.house}, its usage {row.usage} {expected}")
    if evidence.duplicates:
        verdict.double += evidence.duplicates
        verdict.complain("I4", f"the ledger has {evidence.duplicates} lines too many")
    spent_by_key: Counter[str] = Counter()
    spent_by_account: Counter[str] = Counter()
    for row in evidence.rows:
        spent_by_key[row.key_id] += row.amount
        spent_by_account[row.account_id] += row.amount
    for spent, limit_of in ((spent_by_key, limits.budgets), (spent_by_account, limits.credits)):
        for subject, limit in limit_of.items():
            if limit and spent[subject] > limit:
                verdict.overspend_nano += spent[subject] - limit
                verdict.complain("I1'", f"{subject} is charged {spent[subject]} of {limit}")


def _check_spools(verdict: Verdict, evidence: Evidence) -> None:
    booked = {row.request_id for row in evidence.rows}
    spooled = evidence.spooled
    for request_id in spooled.granted - booked:
        verdict.lost += 1
        verdict.complain("I3", f"{request_id} was granted and is not in the ledger")
    if spooled.begun:
        for row in evidence.rows:
            if row.request_id not in spooled.begun:
                verdict.complain("I7", f"no edge began {row.request_id}")
            elif row.amount and row.request_id not in spooled.granted:
                verdict.complain("I7", f"{row.request_id} is charged and was never granted")
    if evidence.shipped is not None:
        for request_id in spooled.ended - evidence.shipped:
            verdict.complain("I9", f"the end of {request_id} is in a spool and not in the stream")


def _check_counters(verdict: Verdict, evidence: Evidence) -> None:
    """Redis agrees with the ledger to the nano-dollar, and nothing is held any more."""
    for account, (credited, charged) in evidence.sums.items():
        state = evidence.counters.get(account, {})
        seen = (int(state.get("credits", 0)), int(state.get("posted", 0)))
        if seen != (credited, charged):
            verdict.complain("I2", f"{account}: Redis has credits and posted {seen}, the ledger {(credited, charged)}")
        for counter, value in state.items():
            if counter.startswith(("unposted", "reserved")) and int(value):
                verdict.complain("I2", f"{account}: {counter} is still {value}")
        if evidence.held.get(account):
            verdict.complain("I2", f"{account}: {evidence.held[account]} requests are still open")
