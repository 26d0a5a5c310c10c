"""The spans of a request: made only for the few that are traced.

It decides what a span says (OpenTelemetry's GenAI conventions), never prompts, answers or secrets. It must not know
when a step begins or ends.
"""

from collections.abc import Mapping

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from oneapi.runtime import semconv
from oneapi.runtime.telemetry import HeadSampler, context_from, traceparent_of, tracer

Attributes = Mapping[str, str | int | float | bool]


class RequestTrace:
    """The span of one request, or nothing at all. `traceparent` is "" when the request isn't traced."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, sampler: HeadSampler, traceparent: str) -> None:
        self._span: Span | None = None
        self.traceparent = ""
        if sampler.decide(traceparent):
            span = tracer().start_span(semconv.SPAN_REQUEST, context=context_from(traceparent), kind=SpanKind.SERVER)
            self._span = span
            self.traceparent = traceparent_of(span.get_span_context())
            # The task that serves this request is its own, so nothing has to be detached: its logs carry the trace.
            otel_context.attach(trace.set_span_in_context(span))

    @property
    def recording(self) -> bool:
        """Whether attributes are worth the making."""
        return self._span is not None

    def add(self, attributes: Attributes) -> None:
        """Says more about the request."""
        if self._span is not None:
            self._span.set_attributes(attributes)

    def end(self, *, error: str = "") -> None:
        """The request is over. Safe to call twice."""
        span, self._span = self._span, None
        if span is not None:
            if error:
                span.set_attribute(semconv.ERROR_TYPE, error)
                span.set_status(Status(StatusCode.ERROR, error))
            span.end()

    def upstream(self, attributes: Attributes) -> "UpstreamTrace":
        """A span for one call of a provider."""
        if self._span is None:
            return UpstreamTrace(None)
        parent = trace.set_span_in_context(self._span)
        return UpstreamTrace(
            tracer().start_span(
                semconv.SPAN_UPSTREAM, context=parent, kind=SpanKind.CLIENT, attributes=dict(attributes)
            )
        )


class UpstreamTrace:
    """The span of one call, or nothing. `traceparent` is what the provider is told."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, span: Span | None) -> None:
        self._span = span
        self.traceparent = traceparent_of(span.get_span_context()) if span is not None else ""

    def end(self, outcome: str, status: int, *, ok: bool) -> None:
        """The call is over."""
        span, self._span = self._span, None
        if span is None:
            return
        span.set_attributes({semconv.OUTCOME: outcome, semconv.HTTP_STATUS: status})
        if not ok:
            span.set_attribute(semconv.ERROR_TYPE, outcome)
            span.set_status(Status(StatusCode.ERROR, outcome))
        span.end()
