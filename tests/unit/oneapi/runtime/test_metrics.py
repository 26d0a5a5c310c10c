"""The registry of metrics."""

import pytest

from oneapi.runtime import metrics


def test_what_is_counted_is_in_the_registry() -> None:
    made = metrics.counter("unit_test_calls", "Calls.", ("kind",))
    made.labels("a").inc()
    metrics.gauge("unit_test_level", "A level.").set(3)
    metrics.histogram("unit_test_seconds", "Times.").observe(0.02)
    value = metrics.REGISTRY.get_sample_value
    assert value("unit_test_calls_total", {"kind": "a"}) == 1
    assert value("unit_test_level") == 3
    assert value("unit_test_seconds_bucket", {"le": "0.025"}) == 1
    assert value("unit_test_seconds_bucket", {"le": "0.01"}) == 0


def test_a_name_is_taken_once() -> None:
    metrics.counter("unit_test_taken", "Once.")
    with pytest.raises(ValueError, match="unit_test_taken"):
        metrics.counter("unit_test_taken", "Twice.")


def test_no_port_means_off() -> None:
    assert metrics.serve(None) is None
