"""Traces and metrics, to a real OTLP listener and a real Prometheus page."""

import asyncio
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc

from oneapi.runtime import metrics, telemetry

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Listener(trace_grpc.TraceServiceServicer, metrics_grpc.MetricsServiceServicer):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.arrived = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(2))
        trace_grpc.add_TraceServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        metrics_grpc.add_MetricsServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the generated name
        self.received.append(request)
        if isinstance(request, metrics_pb2.ExportMetricsServiceRequest):
            return metrics_pb2.ExportMetricsServiceResponse()
        return trace_pb2.ExportTraceServiceResponse()

    def stop(self) -> None:
        self._server.stop(grace=None).wait(5)


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.stop()


async def test_spans_and_metrics_arrive(listener: Listener) -> None:
    counted = metrics.counter("runtime_test_calls", "Calls of this test.", ("kind",))
    counted.labels("good").inc(3)
    spread = metrics.histogram("runtime_test_seconds", "Times of this test.", buckets=(1.0, 2.0))
    for seconds in (0.5, 1.5, 9.0):
        spread.observe(seconds)
    made = telemetry.setup("test", sample=1, endpoint=listener.endpoint)
    with telemetry.tracer().start_as_current_span("here", context=telemetry.context_from(SAMPLED)):
        pass
    await asyncio.to_thread(made.shutdown)
    spans = [
        (resource.resource, span)
        for request in listener.received
        if isinstance(request, trace_pb2.ExportTraceServiceRequest)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    ((resource, span),) = spans
    assert span.name == "here"
    assert span.trace_id.hex() in SAMPLED
    assert span.parent_span_id.hex() in SAMPLED
    assert {item.key: item.value.string_value for item in resource.attributes}["service.name"] == "oneapi-test"
    found = {
        metric.name: metric
        for request in listener.received
        if isinstance(request, metrics_pb2.ExportMetricsServiceRequest)
        for part in request.resource_metrics
        for scope in part.scope_metrics
        for metric in scope.metrics
    }
    (point,) = found["runtime_test_calls"].sum.data_points
    assert (point.as_double, point.attributes[0].value.string_value) == (3, "good")
    (spread_point,) = found["runtime_test_seconds"].histogram.data_points
    assert list(spread_point.bucket_counts) == [1, 1, 1]
    assert (spread_point.count, spread_point.sum) == (3, 11.0)
    assert "process_resident_memory_bytes" in found


async def test_an_absent_collector_delays_nobody_for_long() -> None:
    made = telemetry.setup("test", sample=1, endpoint="http://127.0.0.1:1")
    with telemetry.tracer().start_as_current_span("lost"):
        pass
    async with asyncio.timeout(15):
        await asyncio.to_thread(made.shutdown)


def test_metrics_have_a_page_of_their_own() -> None:
    metrics.gauge("runtime_test_level", "A level.").set(7)
    assert metrics.serve(None) is None
    server = metrics.serve(0)
    assert server is not None
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as page:
        assert "runtime_test_level 7.0" in page.read().decode()
    server.close()
