"""Trace context and sampling."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from oneapi.runtime.telemetry import (
    HeadSampler,
    context_from,
    current_traceparent,
    parse_traceparent,
    sampled,
    setup,
    tracer,
)

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = SAMPLED[:-2] + "00"
NOT_ONE = [
    "",
    "x",
    SAMPLED.upper(),
    SAMPLED[:-1],
    SAMPLED + "0",
    "ff" + SAMPLED[2:],
    SAMPLED.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
    SAMPLED.replace("b7ad6b7169203331", "0" * 16),
    SAMPLED.replace("-", "_"),
    SAMPLED + "-more",
    "é" * 55,
]


def test_a_traceparent_is_parsed() -> None:
    span = parse_traceparent(SAMPLED)
    assert span is not None
    assert (span.trace_id, span.span_id) == (0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331)
    assert span.is_remote
    assert span.trace_flags.sampled
    unsampled = parse_traceparent(UNSAMPLED)
    assert unsampled is not None
    assert not unsampled.trace_flags.sampled
    # A later version may say more.
    assert parse_traceparent("01" + SAMPLED[2:] + "-more") is not None


@pytest.mark.parametrize("text", NOT_ONE)
def test_what_is_no_traceparent(text: str) -> None:
    assert parse_traceparent(text) is None
    assert not sampled(text)
    assert trace.get_current_span(context_from(text)) is trace.INVALID_SPAN


def test_sampled() -> None:
    assert sampled(SAMPLED)
    assert sampled(SAMPLED[:-1] + "3")
    assert not sampled(UNSAMPLED)
    assert not sampled(None)


def test_a_callers_decision_holds() -> None:
    never, always = HeadSampler(0.0), HeadSampler(1.0)
    assert never.decide(SAMPLED)
    assert not always.decide(UNSAMPLED)
    for text in [None, *NOT_ONE]:
        assert always.decide(text)
        assert not never.decide(text)


def test_the_ratio_is_kept() -> None:
    sampler = HeadSampler(0.25)
    assert 2_200 < sum(sampler.decide(None) for _ in range(10_000)) < 2_800


def test_a_span_is_made_when_head_sampling_said_so() -> None:
    exporter = InMemorySpanExporter()
    made = setup("test", sample=0.5, endpoint=None, exporter=exporter)
    assert made.sampler.ratio == 0.5
    assert current_traceparent() == ""
    with tracer().start_as_current_span("root"):
        root = current_traceparent()
        assert sampled(root)
    with tracer().start_as_current_span("child", context=context_from(root)):
        assert current_traceparent()[3:35] == root[3:35]
    # Below a caller that is not traced nothing is, whatever the ratio.
    with tracer().start_as_current_span("none", context=context_from(UNSAMPLED)):
        assert current_traceparent() == ""
    made.shutdown()
    assert [span.name for span in exporter.get_finished_spans()] == ["root", "child"]
    with tracer().start_as_current_span("after the end"):
        assert current_traceparent() == ""


def test_without_a_place_to_send_to_only_callers_traces_go_on() -> None:
    made = setup("test", sample=1.0, endpoint=None)
    assert not made.sampler.decide(None)
    assert made.sampler.decide(SAMPLED)
    with tracer().start_as_current_span("child", context=context_from(SAMPLED)):
        assert current_traceparent()[3:35] == SAMPLED[3:35]
    made.shutdown()
