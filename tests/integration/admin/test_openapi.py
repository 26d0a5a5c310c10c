"""The OpenAPI document, and the trace of a request."""

import re
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from oneapi.bus.streams import ensure
from oneapi.catalog import entries
from oneapi.runtime import telemetry
from oneapi.runtime.connections import connect_nats
from services.admin.application import RESOURCES
from services.admin.web.routes import ManagementRoute
from tests.integration.admin.gateway import Admin, eventually
from tests.integration.own_nats import OwnNats


async def test_every_route_is_in_the_document(admin: Admin) -> None:
    answer = await admin.speaking_as(None).get("/openapi.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    for router in RESOURCES:
        for route in router.routes:
            assert isinstance(route, ManagementRoute)
            if not route.include_in_schema:
                continue
            for method in route.methods or ():
                operation = document["paths"][route.path_format][method.lower()]
                responses = operation["responses"]
                for status in ("401", "422", "500"):
                    content = responses[status]["content"]
                    assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
                good = next(status for status in responses if status.startswith("2"))
                assert good == "204" or responses[good]["content"]["application/json"]["schema"]
                public = (route.path_format, method) in {("/api/session", "POST"), ("/api/models/display", "GET")}
                assert bool(operation["security"]) is not public
    names = re.findall(r'"#/components/schemas/([^"]+)"', answer.text)
    assert set(names) <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in answer.text


async def test_one_trace_from_the_request_to_the_bus(own_nats: OwnNats, make_admin: Callable[..., Admin]) -> None:
    exporter = InMemorySpanExporter()
    traced = telemetry.setup("admin", sample=0.0, endpoint=None, exporter=exporter)
    traced.provider.add_span_processor(SimpleSpanProcessor(exporter))
    connection = await connect_nats(own_nats.url, "test")
    try:
        js = connection.jetstream()
        await ensure(js)
        admin = make_admin(nats_url=own_nats.url)
        await admin.open(bus=True)
        trace_id = "0af7651916cd43dd8448eb211c80319c"
        headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
        body = {"name": "c", "provider": "openai", "models": ["m"]}
        made = await admin.client.post("/api/channels", json=body, headers=headers)
        account = await admin.create("accounts", name="a")
        credit = {"amount_usd": "1", "reason": "x"}
        await admin.client.post(f"/api/accounts/{account['id']}/credits", json=credit, headers=headers)

        async def published() -> bool:
            return (await js.stream_info("LEDGER")).state.messages == 1

        await eventually(published)
        bucket = await js.key_value("catalog")
        entry = entries.decode((await bucket.get(f"channel.{made.json()['id']}")).value or b"")
        message = await js.get_msg("LEDGER", seq=1)
        spans = {
            span.name: span for span in exporter.get_finished_spans() if f"{span.context.trace_id:032x}" == trace_id
        }
    finally:
        traced.shutdown()
        await connection.close()
    assert entry.traceparent.split("-")[1] == trace_id
    assert (message.headers or {})["traceparent"].split("-")[1] == trace_id
    assert set(spans) == {"admin request", "catalog publish", "bus publish"}
    request = spans["admin request"].attributes or {}
    assert request["http.response.status_code"] == 201
    assert request["http.route"] in {"/api/channels", "/api/accounts/{account_id}/credits"}
    entries_of_audit = await admin.audit(resource="channel", resource_id=made.json()["id"])
    assert entries_of_audit[0]["trace_id"] == trace_id
