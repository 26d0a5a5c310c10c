"""Counts things, and shows the counts to Prometheus on a listener of its own.

It decides the registry and the listener. Names are literals in `semconv`. It must not know what is counted.
"""

from collections.abc import Sequence
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""From a Redis round trip to a long answer of a model."""


def counter(name: str, about: str, labels: Sequence[str] = ()) -> Counter:
    """A number that only grows. Made once per process, at import. Raises ValueError for a name that exists."""
    return Counter(name, about, labels, registry=REGISTRY)


def gauge(name: str, about: str, labels: Sequence[str] = ()) -> Gauge:
    """A number that goes up and down."""
    return Gauge(name, about, labels, registry=REGISTRY)


def histogram(
    name: str, about: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS_BUCKETS
) -> Histogram:
    """A distribution, of seconds unless other `buckets` are given."""
    return Histogram(name, about, labels, registry=REGISTRY, buckets=buckets)


class MetricsServer:
    """The listener that answers `/metrics`, in a thread of its own."""

    def __init__(self, server: WSGIServer, thread: Thread) -> None:
        self._server = server
        self._thread = thread

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)


def serve(port: int | None, host: str = "127.0.0.1") -> MetricsServer | None:
    """Shows the registry at `http://host:port/metrics`; None as the port means off. Raises OSError."""
    if port is None:
        return None
    server, thread = start_http_server(port, host, registry=REGISTRY)
    return MetricsServer(server, thread)
