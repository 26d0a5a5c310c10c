import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from oneapi.runtime.asgi import Message, Receive, Scope, Send
from oneapi.runtime.telemetry import HeadSampler
from services.admin.web import observing
from services.admin.web.observing import Observing

KEY = "sk-0123456789abcdefghij0123456789"


class Route:
    path = "/api/keys/{key_id}"


async def application(scope: Scope, _receive: Receive, send: Send) -> None:
    scope["route"] = Route()
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def test_a_key_in_a_path_is_in_no_span(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(observing, "tracer", lambda: provider.get_tracer("test"))

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(_message: Message) -> None:
        return None

    for name in (KEY, "key_1"):
        scope = {"type": "http", "method": "GET", "path": f"/api/keys/{name}", "headers": []}
        await Observing(application, HeadSampler(1.0))(scope, receive, send)
    paths = [span.attributes["url.path"] for span in spans.get_finished_spans() if span.attributes]
    assert paths == ["/api/keys/[redacted]", "/api/keys/key_1"]
