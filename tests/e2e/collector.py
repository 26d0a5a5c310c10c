"""An OTLP collector inside the test process: keeps every span that any service exports."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Span:
    """One exported span: ids in hex, attributes as text."""

    def __init__(self, service: str, span: Any) -> None:
        self.service = service
        self.name: str = span.name
        self.trace_id: str = span.trace_id.hex()
        self.span_id: str = span.span_id.hex()
        self.parent_id: str = span.parent_span_id.hex()
        self.attributes = {item.key: item.value.string_value or str(item.value.int_value) for item in span.attributes}

    def __repr__(self) -> str:
        return f"{self.service}:{self.name}({self.span_id}<-{self.parent_id})"


class Collector(trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer):
    """Listens on a free loopback port; `endpoint` is what OTEL_EXPORTER_OTLP_ENDPOINT takes."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._arrived = threading.Condition()
        self._server = grpc.server(ThreadPoolExecutor(4))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802  # the generated base class names it
        if isinstance(request, metrics_service_pb2.ExportMetricsServiceRequest):
            return metrics_service_pb2.ExportMetricsServiceResponse()
        found = []
        for resource in request.resource_spans:
            service = next(
                (item.value.string_value for item in resource.resource.attributes if item.key == "service.name"), ""
            )
            found += [Span(service, span) for scope in resource.scope_spans for span in scope.spans]
        with self._arrived:
            self._spans += found
            self._arrived.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def wait(self, trace_id: str, complete: Callable[[list[Span]], bool], timeout_s: float = 30) -> list[Span]:
        """The spans of a trace once `complete` says that they are all there; AssertionError with those seen if not."""
        with self._arrived:

            def mine() -> list[Span]:
                return [span for span in self._spans if span.trace_id == trace_id]

            done = self._arrived.wait_for(lambda: complete(mine()), timeout_s)
            assert done, f"trace {trace_id} has only {mine()}"
            return mine()

    def find(self, matches: Callable[[Span], bool]) -> list[Span]:
        """Every span so far that matches."""
        with self._arrived:
            return [span for span in self._spans if matches(span)]

    def stop(self) -> None:
        self._server.stop(grace=None)
