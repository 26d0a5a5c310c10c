"""Migrations go forwards only, and a database that differs is found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from services.billing.schema import (
    SHAPES,
    Migration,
    Shape,
    WrongSchema,
    find_drift,
    find_misshape,
    migrations,
    statements,
)

KNOWN = tuple(Migration(number, f"000{number}_x.sql", "", str(number)) for number in (1, 2))


def test_the_files_are_numbered_without_a_gap() -> None:
    found = migrations()
    assert [migration.number for migration in found] == list(range(1, len(found) + 1))
    assert all(len(migration.checksum) == 64 for migration in found)


def test_a_gap_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("SELECT 1")
    (tmp_path / "0003_b.sql").write_text("SELECT 1")
    (tmp_path / "notes.txt").write_text("not one of them")
    with pytest.raises(WrongSchema):
        migrations(tmp_path)


def test_every_statement_may_run_twice() -> None:
    for migration in migrations():
        for statement in statements(migration.text, ""):
            assert " IF NOT EXISTS " in statement.splitlines()[0], statement


def test_one_server_and_a_cluster_get_different_engines() -> None:
    ledger = migrations()[0].text
    alone, spread = statements(ledger, ""), statements(ledger, "production")
    assert "ENGINE = ReplacingMergeTree(version)" in alone[0]
    assert "ON CLUSTER" not in alone[0]
    assert "ENGINE = ReplicatedReplacingMergeTree(version)" in spread[0]
    assert all("ON CLUSTER `production`" in statement for statement in spread)
    assert not any(statement.startswith("--") or "${" in statement for statement in (*alone, *spread))


def test_a_clusters_name_is_no_sql() -> None:
    with pytest.raises(ValueError, match="cluster"):
        statements("", "x` DROP")


@pytest.mark.parametrize(
    ("applied", "drifted"),
    [
        ({}, False),
        ({1: ("0001_x.sql", "1")}, False),
        ({1: ("0001_x.sql", "1"), 2: ("0002_x.sql", "2"), 3: ("0003_newer.sql", "3")}, False),
        ({1: ("0001_x.sql", "changed")}, True),
        ({2: ("0002_x.sql", "2")}, True),
    ],
)
def test_drift_is_found(applied: dict[int, tuple[str, str]], drifted: bool) -> None:
    assert (find_drift(applied, KNOWN) is not None) == drifted


@pytest.mark.parametrize(
    "spoil",
    [
        lambda shape: replace(shape, engine="MergeTree"),
        lambda shape: replace(shape, partition_key="request_id"),
        lambda shape: replace(shape, sorting_key="request_id"),
    ],
)
def test_a_table_of_another_shape_is_found(spoil: Callable[[Shape], Shape]) -> None:
    assert find_misshape(SHAPES, "") is None
    assert find_misshape({**SHAPES, "ledger": spoil(SHAPES["ledger"])}, "") is not None
    assert find_misshape({name: shape for name, shape in SHAPES.items() if name != "ledger"}, "") is not None


def test_a_cluster_needs_replicated_engines() -> None:
    assert find_misshape(SHAPES, "production") is not None
    spread = {name: replace(shape, engine=f"Replicated{shape.engine}") for name, shape in SHAPES.items()}
    assert find_misshape(spread, "production") is None
    assert find_misshape(spread, "") is not None
