"""The import contracts hold, and each of them fails when the thing that it forbids is planted in a copy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

PLANTS = [
    ("Services never import each other", "services/edge/planted.py", "import services.billing"),
    ("What is shared knows nothing of services", "oneapi/runtime/planted.py", "import services.edge"),
    ("Direction inside oneapi", "oneapi/runtime/planted.py", "import oneapi.catalog.types"),
    ("Formats, providers and prices are pure", "oneapi/dialects/planted.py", "import asyncio"),
    (
        "Dialects don't know each other",
        "oneapi/dialects/openai_chat/planted.py",
        "import oneapi.dialects.anthropic_messages",
    ),
    ("Only admin knows SQL", "services/billing/planted.py", "import sqlalchemy"),
    ("Modules have no cycles", "oneapi/pricing/planted.py", "import oneapi.pricing.planted_too"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=110, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for top in ("oneapi", "services", "proto"):
        shutil.copytree(ROOT / top, tmp_path / top, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_contracts_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("contract", "path", "line"), PLANTS, ids=[plant[0] for plant in PLANTS])
def test_a_planted_violation_is_found(copy: Path, contract: str, path: str, line: str) -> None:
    (copy / path).write_text(f'"""Planted."""\n\n{line}\n')
    if "planted_too" in line:
        (copy / path).with_name("planted_too.py").write_text('"""Planted."""\n\nimport oneapi.pricing.planted\n')
    result = lint(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{contract} BROKEN" in result.stdout
