"""What billing counts for Prometheus.

It decides the metrics and their labels, and must not know how they are come by.
"""

from oneapi.runtime import metrics
from oneapi.runtime.semconv import (
    METRIC_BILLING_AMOUNT_MISMATCH,
    METRIC_BILLING_BATCH_SECONDS,
    METRIC_BILLING_EVENTS,
    METRIC_BILLING_HOLDS,
    METRIC_BILLING_INSERT_SECONDS,
    METRIC_BILLING_LAG,
    METRIC_BILLING_PAYLOAD_CONFLICTS,
    METRIC_BILLING_REBASE_DELTA,
    METRIC_BILLING_REBUILDS,
    METRIC_BILLING_REPAIRS,
    METRIC_BILLING_ROLLED_HOURS,
    METRIC_BILLING_UNPOSTED_AGE,
    METRIC_BILLING_WRITER,
    METRIC_DEAD_LETTERS,
    METRIC_LEDGER_ROWS,
)

EVENTS = metrics.counter(
    METRIC_BILLING_EVENTS, "Events read off the bus: booked, or known already, or put aside", ("result",)
)
BATCH_SECONDS = metrics.histogram(METRIC_BILLING_BATCH_SECONDS, "Time from a batch's arrival to its posting")
INSERT_SECONDS = metrics.histogram(METRIC_BILLING_INSERT_SECONDS, "Time of the inserts of one batch")
LAG = metrics.gauge(METRIC_BILLING_LAG, "Messages in the stream that are not in the ledger yet")
DEAD_LETTERS = metrics.counter(METRIC_DEAD_LETTERS, "Events that can't be booked and were put aside: look at each")
AMOUNT_MISMATCHES = metrics.counter(
    METRIC_BILLING_AMOUNT_MISMATCH, "Events whose amount isn't what their usage and price make: must be 0"
)
PAYLOAD_CONFLICTS = metrics.counter(
    METRIC_BILLING_PAYLOAD_CONFLICTS, "Event ids that came with other contents; the first is kept: must be 0"
)
UNPOSTED_AGE = metrics.gauge(
    METRIC_BILLING_UNPOSTED_AGE, "How long ago the oldest reservation that is still open should have been closed"
)
REBASE_DELTA = metrics.counter(
    METRIC_BILLING_REBASE_DELTA, "How far sums in Redis were from the ledger's when all were compared: must be 0"
)
REBUILDS = metrics.counter(METRIC_BILLING_REBUILDS, "Accounts opened in Redis", ("why",))
REPAIRS = metrics.counter(
    METRIC_BILLING_REPAIRS, "Reservations that were closed late, or turned into holds, and sums that were put right",
    ("what",),
)  # fmt: skip
HOLDS = metrics.gauge(METRIC_BILLING_HOLDS, "Holds in the ledger that are older than a day and never became final")
ROLLED_HOURS = metrics.counter(METRIC_BILLING_ROLLED_HOURS, "Hours summed up into the hourly tables")
WRITER = metrics.gauge(METRIC_BILLING_WRITER, "1 in the replica that writes")
LEDGER_ROWS = metrics.gauge(METRIC_LEDGER_ROWS, "Lines in the ledger")
