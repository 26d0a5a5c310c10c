"""Makes and carries traces.

It decides who is traced (a sampled `traceparent` always, others at a ratio, before any span exists) and where spans
go. It must not know what the spans are about.
"""

import logging
import random
import re
from dataclasses import dataclass
from importlib import metadata

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer

from oneapi.runtime.ids import uuid7
from oneapi.runtime.metric_export import MetricExport

logger = logging.getLogger(__name__)

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_TRACEPARENT_LENGTH = 55
_SAMPLED_DIGITS = frozenset("13579bdf")
_EXPORT_EVERY_MS = 1_000
_EXPORT_LIMIT_MS = 2_000
_EMPTY = Context()
_NO_TRACER = trace.NoOpTracer()
_tracer: Tracer = _NO_TRACER


def parse_traceparent(value: str) -> SpanContext | None:
    """The span that a W3C `traceparent` names, or None when it is not a valid one."""
    match = _TRACEPARENT.fullmatch(value.strip())
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest):
        return None
    span = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16) & 1))
    return span if span.is_valid else None


def context_from(traceparent: str) -> Context:
    """A context whose current span is the one named; an empty context when there is none."""
    span = parse_traceparent(traceparent) if traceparent else None
    return _EMPTY if span is None else trace.set_span_in_context(NonRecordingSpan(span), _EMPTY)


def traceparent_of(span: SpanContext) -> str:
    """The `traceparent` of a sampled span, "" of any other."""
    if not (span.is_valid and span.trace_flags & 1):
        return ""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-01"


def current_traceparent() -> str:
    """The `traceparent` of the current span, "" when there is none or it is not sampled."""
    span = trace.get_current_span()
    return "" if span is trace.INVALID_SPAN else traceparent_of(span.get_span_context())


def sampled(traceparent: str | None) -> bool:
    """Whether this is a valid `traceparent` whose trace is recorded. Nearly free when it is empty or unsampled."""
    if not traceparent or len(traceparent) < _TRACEPARENT_LENGTH or traceparent[54] not in _SAMPLED_DIGITS:
        return False
    return parse_traceparent(traceparent) is not None


class HeadSampler:
    """Decides before any span exists whether a request is traced.

    A caller's decision holds, yes or no; without one, `ratio` (0 to 1) of the requests are traced.
    """

    __slots__ = ("_random", "ratio")

    def __init__(self, ratio: float) -> None:
        self.ratio = ratio
        self._random = random.random

    def decide(self, traceparent: str | None) -> bool:
        """True when a span should be made. Anything that is no `traceparent` counts as none."""
        if traceparent and (span := parse_traceparent(traceparent)) is not None:
            return bool(span.trace_flags & 1)
        return self._random() < self.ratio


@dataclass(frozen=True)
class Telemetry:
    """The tracing of one process. `sampler` traces nothing by itself when there is nowhere to send spans."""

    provider: TracerProvider
    sampler: HeadSampler
    metric_export: MetricExport | None

    def shutdown(self) -> None:
        """Sends what is left, for a few seconds at most. It blocks: call it last, or in a thread."""
        global _tracer
        _tracer = _NO_TRACER
        if self.metric_export is not None:
            self.metric_export.finish()
        self.provider.force_flush(_EXPORT_LIMIT_MS)
        self.provider.shutdown()
        if self.metric_export is not None:
            self.metric_export.stop()


def setup(service: str, *, sample: float, endpoint: str | None, exporter: SpanExporter | None = None) -> Telemetry:
    """Starts tracing for this process.

    `sample` is the ratio of `HeadSampler`. `endpoint` is an OTLP gRPC address (`http://host:4317`; `https` for TLS)
    for traces and metrics; None sends nothing, and trace ids still travel. `exporter` takes the place of OTLP.
    """
    global _tracer
    resource = Resource.create(
        {
            "service.name": f"oneapi-{service}",
            "service.namespace": "oneapi",
            "service.version": release(),
            "service.instance.id": uuid7(),
        }
    )
    # Sampling happened in HeadSampler: a root span is made only when it should be recorded.
    provider = TracerProvider(resource=resource, sampler=ParentBased(root=ALWAYS_ON))
    export: MetricExport | None = None
    if exporter is None and endpoint is not None:
        # Loaded only when used: it costs start-up time and memory.
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(
            endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=_EXPORT_LIMIT_MS / 1_000
        )
        export = MetricExport(endpoint, resource)
        export.start()
    if exporter is not None:
        provider.add_span_processor(
            BatchSpanProcessor(exporter, schedule_delay_millis=_EXPORT_EVERY_MS, export_timeout_millis=_EXPORT_LIMIT_MS)
        )
    _tracer = provider.get_tracer("oneapi", release())
    return Telemetry(provider, HeadSampler(sample if exporter is not None else 0.0), export)


def tracer() -> Tracer:
    """The tracer of this process; it makes no spans before `setup` and after `shutdown`."""
    return _tracer


def release() -> str:
    """The version of the installed distribution; "0" when there is none."""
    try:
        return metadata.version("one-api")
    except metadata.PackageNotFoundError:
        return "0"
