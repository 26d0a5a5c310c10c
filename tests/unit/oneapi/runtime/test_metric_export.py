"""Prometheus numbers as OTLP data."""

from opentelemetry.sdk.metrics.export import Gauge, Histogram, Metric, Sum
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as PrometheusCounter
from prometheus_client import Gauge as PrometheusGauge
from prometheus_client import Histogram as PrometheusHistogram

from oneapi.runtime.metric_export import collect


def converted(registry: CollectorRegistry) -> dict[str, Metric]:
    data = collect(registry, Resource({"service.name": "x"}), 10, 20)
    (resource,) = data.resource_metrics
    (scope,) = resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def test_each_kind_becomes_its_own() -> None:
    registry = CollectorRegistry()
    counter = PrometheusCounter("calls", "Calls.", ["kind"], registry=registry)
    counter.labels("a").inc(2)
    counter.labels("b").inc()
    PrometheusGauge("level", "A level.", registry=registry).set(1.5)
    spread = PrometheusHistogram("seconds", "Times.", ["kind"], registry=registry, buckets=(1.0, 2.0))
    for seconds in (0.5, 0.6, 1.5, 7.0):
        spread.labels("a").observe(seconds)
    spread.labels("b").observe(1.5)
    found = converted(registry)

    calls = found["calls"].data
    assert isinstance(calls, Sum)
    assert calls.is_monotonic
    assert {(point.attributes or {})["kind"]: point.value for point in calls.data_points} == {"a": 2, "b": 1}
    assert {(point.start_time_unix_nano, point.time_unix_nano) for point in calls.data_points} == {(10, 20)}

    level = found["level"].data
    assert isinstance(level, Gauge)
    assert [point.value for point in level.data_points] == [1.5]

    times = found["seconds"].data
    assert isinstance(times, Histogram)
    points = {(point.attributes or {})["kind"]: point for point in times.data_points}
    assert list(points["a"].bucket_counts) == [2, 1, 1]
    assert list(points["a"].explicit_bounds) == [1.0, 2.0]
    assert (points["a"].count, points["a"].sum) == (4, 9.6)
    assert list(points["b"].bucket_counts) == [0, 1, 0]


def test_what_was_never_counted_is_left_out() -> None:
    registry = CollectorRegistry()
    PrometheusCounter("calls", "Calls.", ["kind"], registry=registry)
    PrometheusHistogram("seconds", "Times.", ["kind"], registry=registry)
    assert converted(registry) == {}
