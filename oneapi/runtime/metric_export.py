"""Sends the Prometheus registry's numbers by OTLP as well.

It decides how one becomes the other, so that everything is counted once whoever reads it. It must not know what is
counted.
"""

import logging
import threading
import time
from collections.abc import Iterable

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric as PrometheusMetric
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.samples import Sample

from oneapi.runtime.metrics import REGISTRY

logger = logging.getLogger(__name__)

EVERY_S = 10.0
_LIMIT_MS = 2_000


class MetricExport:
    """Sends everything each 10 s, from a thread of its own, and once more at the end."""

    def __init__(
        self,
        endpoint: str,
        resource: Resource,
        registry: CollectorRegistry = REGISTRY,
        exporter: MetricExporter | None = None,
    ) -> None:
        if exporter is None:
            # Loaded only when used: it costs start-up time and memory.
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

            exporter = OTLPMetricExporter(
                endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=_LIMIT_MS / 1_000
            )
        self._exporter = exporter
        self._resource = resource
        self._registry = registry
        self._started_ns = time.time_ns()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metric export", daemon=True)

    def start(self) -> None:
        """Begins sending."""
        self._thread.start()

    def finish(self) -> None:
        """Begins to send for the last time, without waiting."""
        self._ending.set()

    def stop(self) -> None:
        """Sends once more and ends. It blocks for a few seconds at most."""
        self.finish()
        if self._thread.is_alive():
            self._thread.join(timeout=_LIMIT_MS / 1_000)
        self._exporter.shutdown(timeout_millis=_LIMIT_MS)

    def _run(self) -> None:
        ended = False
        while not ended:
            ended = self._ending.wait(EVERY_S)
            try:
                self._exporter.export(
                    collect(self._registry, self._resource, self._started_ns, time.time_ns()), timeout_millis=_LIMIT_MS
                )
            except Exception:  # metrics are never a reason to fail; the next round sends the same totals
                logger.exception("the metrics could not be sent")


def collect(registry: Collector, resource: Resource, started_ns: int, now_ns: int) -> MetricsData:
    """Every metric of the registry as OTLP data. Times are in nanoseconds since 1970."""
    found = [metric for family in registry.collect() if (metric := _converted(family, started_ns, now_ns)) is not None]
    scope = ScopeMetrics(InstrumentationScope("oneapi"), found, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _converted(family: PrometheusMetric, started_ns: int, now_ns: int) -> Metric | None:
    data: Sum | Gauge | Histogram
    if family.type == "histogram":
        points = _histogram_points(family.samples, started_ns, now_ns)
        data = Histogram(points, AggregationTemporality.CUMULATIVE)
        return Metric(family.name, family.documentation, family.unit or "", data) if points else None
    wanted = family.name + "_total" if family.type == "counter" else family.name
    numbers = [
        NumberDataPoint(dict(sample.labels), started_ns, now_ns, sample.value)
        for sample in family.samples
        if sample.name == wanted
    ]
    if not numbers:
        return None
    if family.type == "counter":
        data = Sum(numbers, AggregationTemporality.CUMULATIVE, is_monotonic=True)
    else:
        data = Gauge(numbers)
    return Metric(family.name, family.documentation, family.unit or "", data)


def _histogram_points(samples: Iterable[Sample], started_ns: int, now_ns: int) -> list[HistogramDataPoint]:
    """Prometheus counts each bucket with all below it; OTLP counts each alone."""
    grouped: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    bounds: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for sample in samples:
        labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        if sample.name.endswith("_bucket"):
            bounds.setdefault(labels, []).append((float(sample.labels["le"]), sample.value))
        else:
            grouped.setdefault(labels, {})[sample.name.rpartition("_")[2]] = sample.value
    points = []
    for labels, buckets in bounds.items():
        buckets.sort()
        counts = [int(count) for _, count in buckets]
        alone = [count - before for count, before in zip(counts, [0, *counts], strict=False)]
        points.append(
            HistogramDataPoint(
                attributes=dict(labels),
                start_time_unix_nano=started_ns,
                time_unix_nano=now_ns,
                count=counts[-1],
                sum=grouped.get(labels, {}).get("sum", 0.0),
                bucket_counts=alone,
                explicit_bounds=[bound for bound, _ in buckets if bound != float("inf")],
                min=float("nan"),
                max=float("nan"),
            )
        )
    return points
