"""The names on the bus: streams, subjects, buckets, consumers.

It must not know how they are configured or what their payloads mean.
"""

STREAM_LEDGER = "LEDGER"
LEDGER_SUBJECTS = "ledger.>"
USAGE = "ledger.usage.v1"
"""`UsageBatch`: what an edge's spool ships."""
CREDIT = "ledger.credit.v1"
"""`CreditGranted`."""

STREAM_DEAD_LETTERS = "LEDGER_DLQ"
DEAD_LETTER_SUBJECTS = "ledger_dlq.>"
DEAD_LETTER_PREFIX = "ledger_dlq."
"""A message that can't be processed goes to this prefix and the subject that it came from."""

OUTCOMES = "router.outcomes.v1"
"""Core NATS, `OutcomeBatch`: what routers tell each other. Losing one is harmless."""

EDGE_SYNC = "edge.sync"
"""Core NATS, JSON with `account_id` and `rebuild_id`: billing asks every edge for its marker, until it has them all."""
BILLING_OPEN = "billing.open."
"""Core NATS, followed by an account's id: an edge asks billing to open it. It has no payload."""
KEY_REHASH = "keys.rehash.v1"
"""Core NATS, `KeyRehash`: edges and mcp tell admin the new hash of a key that is filed under an old pepper's."""

BUCKET_CATALOG = "catalog"
BUCKET_KEYS = "keys"
BUCKET_STATE = "state"
BUCKET_RESPONSES = "responses"
"""What clients of the Responses API have stored; its entries end by themselves."""
BUCKET_TOOLS = "tools"
"""`oneapi.catalog.listings.ServerTools` by the id of a tool server: what mcp was told that it has."""
STATE_EDGES = "edge."
"""Keys of `state`, followed by an edge's id: those that may hold reservations."""

CONSUMER_BILLING = "billing"

HEADER_MESSAGE_ID = "Nats-Msg-Id"
HEADER_TRACE = "traceparent"
HEADER_DEAD_REASON = "Oneapi-Dead-Reason"
HEADER_DEAD_SUBJECT = "Oneapi-Dead-Subject"
HEADER_DEAD_SEQUENCE = "Oneapi-Dead-Sequence"


EVERYTHING = ">"
"""All keys of a bucket."""


def bucket_stream(bucket: str) -> str:
    """The stream that holds a KV bucket."""
    return f"KV_{bucket}"


def bucket_subject(bucket: str, key: str) -> str:
    """The subject on which a KV entry is written; `key` may be `>` for all."""
    return f"$KV.{bucket}.{key}"
