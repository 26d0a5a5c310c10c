"""The metrics that the code registers: their kinds and labels, found in the sources, and the names that they show."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oneapi.runtime import semconv
from tests.architecture.sources import parsed

ROOT = Path(__file__).parents[2]
KINDS = ("counter", "gauge", "histogram")
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
OF_EVERY_PROCESS = ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds")
"""What the client library registers by itself, as far as it is used here."""


@dataclass(frozen=True)
class Metric:
    """One metric. `name` is the literal in semconv."""

    name: str
    kind: str
    labels: frozenset[str]


@functools.cache
def registered() -> dict[str, Metric]:
    """Every metric of the five services by each name that it shows to Prometheus."""
    shown = {name: Metric(name, "gauge", frozenset()) for name in OF_EVERY_PROCESS}
    for folder in ("oneapi", "services"):
        for source in (ROOT / folder).rglob("*.py"):
            for metric in _made_in(source):
                shown |= {metric.name + suffix: metric for suffix in SUFFIXES[metric.kind]}
    return shown


def _made_in(source: Path) -> Iterator[Metric]:
    for node in ast.walk(parsed(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        made, name = _last_name(node.func), _last_name(node.args[0])
        if made not in KINDS or not name.startswith("METRIC_"):
            continue
        given = [*node.args[2:3], *(keyword.value for keyword in node.keywords if keyword.arg == "labels")]
        labels = ast.literal_eval(given[0]) if given else ()
        yield Metric(getattr(semconv, name), made, frozenset(labels))


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
