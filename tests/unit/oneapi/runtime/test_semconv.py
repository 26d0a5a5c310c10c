"""Names of spans, attributes and metrics."""

import re

from oneapi.runtime import semconv


def named(prefix: str) -> dict[str, str]:
    return {name: value for name, value in vars(semconv).items() if name.startswith(prefix)}


def test_each_name_is_given_once() -> None:
    values = [value for name, value in vars(semconv).items() if name.isupper() and not name.startswith("OPERATION_")]
    # The operation and its span have the same name by convention.
    assert len(values) == len(set(values))


def test_metrics_are_ours_and_well_formed() -> None:
    metrics = named("METRIC_")
    assert metrics
    for value in metrics.values():
        assert re.fullmatch(r"oneapi_[a-z0-9_]+", value)
        assert not value.endswith("_total")
