"""Publishes to a stream, and believes nothing but the server's acknowledgement.

It decides the time-out and which failures may be tried again. It must not know what is published.
"""

from collections.abc import Mapping

import nats.errors
import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import PubAck
from opentelemetry.trace import SpanKind

from oneapi.bus.subjects import HEADER_MESSAGE_ID, HEADER_TRACE
from oneapi.runtime.semconv import (
    MESSAGING_DESTINATION,
    MESSAGING_MESSAGE_ID,
    MESSAGING_OPERATION,
    MESSAGING_SYSTEM,
    SPAN_PUBLISH,
)
from oneapi.runtime.telemetry import context_from, sampled, traceparent_of, tracer

PUBLISH_TIMEOUT_S = 2.0


class BusUnavailable(Exception):
    """No acknowledgement came. The message may be in the stream all the same: publish it again with the same id."""


async def publish(
    js: JetStreamContext,
    subject: str,
    payload: bytes,
    *,
    msg_id: str,
    traceparent: str = "",
    headers: Mapping[str, str] | None = None,
) -> PubAck:
    """Publishes and waits for the acknowledgement, 2 s at most. `duplicate` in it says that the id was there already.

    The same `msg_id` must always carry the same payload: within the duplicate window the server looks at the id alone.
    With a sampled `traceparent` it makes a span, and the message carries that one. Raises BusUnavailable, and
    `nats.errors.MaxPayloadError` for what no retry can help.
    """
    sent = {**(headers or {}), HEADER_MESSAGE_ID: msg_id}
    if not sampled(traceparent):
        return await _publish(js, subject, payload, sent)
    with tracer().start_as_current_span(
        SPAN_PUBLISH,
        context=context_from(traceparent),
        kind=SpanKind.PRODUCER,
        attributes={
            MESSAGING_SYSTEM: "nats",
            MESSAGING_OPERATION: "publish",
            MESSAGING_DESTINATION: subject,
            MESSAGING_MESSAGE_ID: msg_id,
        },
    ) as span:
        sent[HEADER_TRACE] = traceparent_of(span.get_span_context()) or traceparent
        return await _publish(js, subject, payload, sent)


async def _publish(js: JetStreamContext, subject: str, payload: bytes, headers: dict[str, str]) -> PubAck:
    try:
        return await js.publish(subject, payload, timeout=PUBLISH_TIMEOUT_S, headers=headers)
    except nats.errors.MaxPayloadError:
        raise
    except (OSError, TimeoutError, nats.errors.Error) as failure:
        raise BusUnavailable(f"{subject}: {failure!r}") from failure
