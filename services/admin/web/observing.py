"""What every request leaves behind: an id, a span, a count, and headers that no answer lacks.

Pure ASGI, outside the application, so that it also sees what the application refuses. Decides who is traced and that
an exception never reaches the server. This module must not know any route.
"""

import functools
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import Counter, Histogram

from oneapi.runtime import metrics, semconv
from oneapi.runtime.asgi import AsgiApp, Message, Receive, Scope, Send
from oneapi.runtime.ids import new_id
from oneapi.runtime.redaction import redact
from oneapi.runtime.telemetry import HeadSampler, context_from, current_traceparent, tracer

logger = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
REQUESTS = metrics.counter(
    semconv.METRIC_ADMIN_REQUESTS, "Requests to the management API.", ("method", "route", "status")
)
SECONDS = metrics.histogram(semconv.METRIC_ADMIN_REQUEST_SECONDS, "Time of a request.", ("method", "route"))


@dataclass(frozen=True, slots=True)
class Observation:
    """By which ids a request is found again. The trace ids are empty when it isn't sampled."""

    request_id: str
    trace_id: str = ""
    traceparent: str = ""


class Observing:
    """Wraps the application."""

    def __init__(self, app: AsgiApp, sampler: HeadSampler) -> None:
        self._app = app
        self._sampler = sampler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        parent = _traceparent(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"
        if not self._sampler.decide(parent):
            await self._serve(scope, receive, send, method, "")
            return
        with tracer().start_as_current_span(
            semconv.SPAN_ADMIN_REQUEST,
            context=context_from(parent or ""),
            kind=SpanKind.SERVER,
            attributes={semconv.HTTP_METHOD: method},
        ) as span:
            status = await self._serve(scope, receive, send, method, current_traceparent())
            route = _route(scope)
            span.set_attribute(semconv.HTTP_ROUTE, route)
            if route != UNMATCHED:
                # Somebody may have put a key where an id belongs.
                span.set_attribute(semconv.URL_PATH, redact(scope["path"]))
            span.set_attribute(semconv.HTTP_STATUS, status)
            span.set_attribute(semconv.REQUEST_ID, scope["state"]["observation"].request_id)
            if status >= 500:
                span.set_status(Status(StatusCode.ERROR))

    async def _serve(self, scope: Scope, receive: Receive, send: Send, method: str, traceparent: str) -> int:
        began = time.perf_counter()
        observation = Observation(new_id("req"), traceparent[3:35], traceparent)
        scope.setdefault("state", {}).update(observation=observation, request_id=observation.request_id)
        status = 500

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = message.get("headers", ())
                message["headers"] = [*given, *id_headers(given, observation.request_id)]
            await send(message)

        try:
            await self._app(scope, receive, send_named)
        except Exception:  # the application has answered and logged it, and raises it once more for servers that log
            logger.debug("the application raised after its answer", exc_info=True)
        requests, seconds = _counts(method, _route(scope), status)
        requests.inc()
        seconds.observe(time.perf_counter() - began)
        return status


@functools.cache
def _counts(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(method, route)


def _traceparent(scope: Scope) -> str | None:
    values = [value for name, value in scope["headers"] if name == b"traceparent"]
    return values[0].decode("latin-1") if len(values) == 1 else None


def _route(scope: Scope) -> str:
    """The matched path template, never the path: what clients send must not become a label."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else UNMATCHED


def id_headers(given: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    """What no answer lacks, beside the headers that it has."""
    value = request_id.encode()
    added = [(b"x-request-id", value), (b"x-oneapi-request-id", value), (b"x-content-type-options", b"nosniff")]
    for name, _ in given:
        if name.lower() == b"cache-control":
            return added
    return [*added, (b"cache-control", b"no-store")]
