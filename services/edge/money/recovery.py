"""What a killed process left unfinished, and how it ends.

It decides the terminal record of a request whose process died: nothing when no upstream was asked, else what was
delivered, by the best evidence there is. Pure: it reads records and is told the time. It must not know where they lie.
"""

from collections.abc import Iterable, Mapping

import msgspec

from oneapi.runtime.telemetry import sampled
from services.edge.money import records, settlement
from services.edge.money.records import AttemptDone, Attempted, Checkpoint, Opened, Tent
from services.edge.money.segments import Record
from services.edge.money.settlement import NOT_OPENED, AttemptEntry, Ending

RECOVERED = "recovered"
PROVIDER = "provider"
COUNTED = "counted"
BYTES_PER_TOKEN = 4
"""As where a dialect counts what its provider didn't."""

_OUTPUT_BUCKETS = ("output", "reasoning", "audio_output", "image_output")


class Story(msgspec.Struct):
    """All that the spool says about one unfinished request. `usage_at` is how much was delivered when the provider's
    usage last changed: when nothing came after it, that usage is the whole of it."""

    tent: Tent
    opened: Opened | None = None
    attempts: list[AttemptEntry] = []
    text_bytes: int = 0
    usage: dict[str, int] | None = None
    usage_at: int = 0
    delivered: bool = False


class Recovered(msgspec.Struct, frozen=True):
    """A terminal record to append: `UsageSettled`, and whether its trace is recorded."""

    event: bytes
    traced: bool


def unfinished(found: Iterable[Record], progress: Mapping[int, int]) -> dict[int, Story]:
    """Requests without an end, by ticket, oldest first. `progress` are counts of delivered bytes by ticket.

    Records of requests that began before the first record given belong to finished ones. Raises msgspec.MsgspecError.
    """
    stories: dict[int, Story] = {}
    for record in found:
        if record.kind == records.TENT:
            stories[record.offset] = Story(records.decode_tent(record.payload))
        elif record.kind != records.SYNC:
            ticket = records.ticket_of(record.payload)
            story = stories.get(ticket)
            if story is None:
                continue
            if record.kind in {records.DENIED, records.FINAL, records.FINAL_TRACED}:
                del stories[ticket]
            else:
                _tell(story, records.decode_detail(record.kind, record.payload))
    for ticket, count in progress.items():
        if ticket in stories:
            _deliver(stories[ticket], count)
    return stories


def _tell(story: Story, detail: records.Detail) -> None:
    if isinstance(detail, Opened):
        story.opened = detail
    elif isinstance(detail, Attempted):
        story.attempts.append(AttemptEntry(detail))
    elif isinstance(detail, AttemptDone):
        for entry in story.attempts:
            if entry.begun.number == detail.number:
                entry.done = detail
    else:
        _check(story, detail)


def _check(story: Story, checkpoint: Checkpoint) -> None:
    _deliver(story, checkpoint.text_bytes)
    if checkpoint.usage is not None and checkpoint.usage != story.usage:
        story.usage = checkpoint.usage
        story.usage_at = checkpoint.text_bytes


def _deliver(story: Story, text_bytes: int) -> None:
    story.delivered = True
    story.text_bytes = max(story.text_bytes, text_bytes)


def finish(story: Story, *, edge_id: str, now_ms: int) -> Recovered:
    """The terminal record of an unfinished request, at `now_ms` of the edge's clock."""
    tent = story.tent
    opened = story.opened or NOT_OPENED
    ending = _ending(story)
    charged = settlement.charge_for(ending, opened.reserved_nano, opened.hard)
    event = settlement.event(
        tent,
        opened,
        story.attempts,
        ending,
        charged,
        edge_id=edge_id,
        reserved_at_ms=opened.reserved_at_ms or tent.begun_at_ms,
        ended_at_ms=now_ms,
        duration_ms=max(now_ms - tent.begun_at_ms, 0),
    )
    return Recovered(event, sampled(tent.traceparent))


def _ending(story: Story) -> Ending:
    if story.opened is None:
        return Ending(settlement.VOID)
    last = story.attempts[-1].begun if story.attempts else None
    if last is None or not story.delivered:
        # Perhaps an upstream was asked, but the client got nothing of what it answered.
        return Ending(RECOVERED, channel_id=last.channel_id if last else "")
    rates = last.rates if last.rates is not None else story.tent.rates_ceiling
    usage, evidence = _usage(story)
    if rates and "per_call" in rates:
        usage.setdefault("per_call", 1)
    return Ending(RECOVERED, usage, evidence, last.price_id, rates, last.channel_id, status=200)


def _usage(story: Story) -> tuple[dict[str, int], str]:
    """The provider's usage when it came last; else what was delivered, with the input as far as the provider said."""
    usage = story.usage
    whole = usage is not None and (not story.text_bytes or any(bucket in usage for bucket in _OUTPUT_BUCKETS))
    if usage is not None and whole and story.usage_at >= story.text_bytes:
        return dict(usage), PROVIDER
    told = {bucket: count for bucket, count in (usage or {}).items() if bucket not in _OUTPUT_BUCKETS}
    counted = told or {"input": -(-story.tent.prompt_bytes // BYTES_PER_TOKEN)}
    counted["output"] = -(-story.text_bytes // BYTES_PER_TOKEN)
    return counted, COUNTED
