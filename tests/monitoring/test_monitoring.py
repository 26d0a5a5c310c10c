"""Dashboard, alert rules and the documents name only metrics that the code registers, with labels that they have."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.monitoring.registered import OF_EVERY_PROCESS, ROOT, Metric, registered

FOLDER = ROOT / "deploy/monitoring"
OPERATIONS = ROOT / "docs/operations.md"
NAME = re.compile(rf"\b(?:oneapi_[a-z0-9_]+|{'|'.join(OF_EVERY_PROCESS)})\b")
SELECTOR = re.compile(r"([a-z_0-9]+)\{([^}]*)\}")
GROUPED = re.compile(r"\bby \(([^)]*)\)\s*\((?:rate|increase)\(([a-z_0-9]+)")
# What Prometheus adds to everything that it scrapes, and a histogram to its buckets.
ADDED = {"instance", "job", "le"}


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    assert set(document) == {"groups"}
    return [rule for group in document["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
    return loaded


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels() for target in panel["targets"]]


def check_labels(expression: str, known: dict[str, Metric]) -> None:
    """The labels that an expression selects or groups by must be the metric's own."""
    for name, inner in SELECTOR.findall(expression):
        asked = {part.split("=")[0].strip("!~ ") for part in inner.split(",")}
        assert asked <= known[name].labels | ADDED, expression
    for labels, name in GROUPED.findall(expression):
        asked = {label.strip() for label in labels.split(",")}
        assert asked <= known[name].labels | ADDED, expression


def test_the_code_registers_every_metric_of_rules_and_dashboard() -> None:
    known = registered()
    for expression in expressions():
        names = NAME.findall(expression)
        assert names, expression
        assert set(names) <= set(known), expression
        check_labels(expression, known)


def test_the_code_registers_every_metric_of_the_documents() -> None:
    named = set(re.findall(r"`(oneapi_[a-z0-9_]+)`", OPERATIONS.read_text()))
    assert named
    assert named <= set(registered())


def test_counters_are_read_as_rates_and_histograms_as_quantiles() -> None:
    for expression in (rule["expr"] for rule in rules()):
        for name in NAME.findall(expression):
            if name.endswith("_total"):
                assert re.search(rf"(?:rate|increase)\({name}\b", expression), expression
            if name.endswith("_bucket"):
                assert "histogram_quantile(" in expression, expression
            assert not re.search(rf"(?:rate|increase)\({name}\b", expression) or name.endswith(("_total", "_bucket"))


def test_rules_are_complete() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"].endswith((".", "?"))
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))


def test_what_the_document_tells_to_watch_has_a_rule() -> None:
    table = OPERATIONS.read_text().partition("## What to watch")[2].partition("\n## ")[0]
    watched = set(re.findall(r"`(oneapi_[a-z0-9_]+)`", table))
    ruled = {name for rule in rules() for name in NAME.findall(rule["expr"])}
    assert watched
    assert watched == ruled


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    shown = {registered()[name].name for expression in expressions() for name in NAME.findall(expression)}
    assert {metric.name for metric in registered().values()} <= shown


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: str(panel["title"]))
def test_panels_are_complete(panel: dict[str, Any]) -> None:
    assert panel["type"] in {"timeseries", "stat"}
    assert panel["datasource"]["uid"] == "${datasource}"
    assert panel["fieldConfig"]["defaults"]["unit"]
    references = [target["refId"] for target in panel["targets"]]
    assert references
    assert len(references) == len(set(references))
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"]
        assert target["legendFormat"]
        assert target["expr"].count("(") == target["expr"].count(")")


def test_the_dashboard_is_laid_out_without_overlaps() -> None:
    taken: set[tuple[int, int]] = set()
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(ids) == len(set(ids))
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    variables = {variable["name"] for variable in dashboard()["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]+)\b", json.dumps(dashboard())))
    assert used <= variables | {"__rate_interval"}
