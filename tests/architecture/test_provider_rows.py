"""Vendors are data: their modules know the shape of a row and nothing else, and the documents say what the rows say."""

import ast
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, parsed, product_files
from tests.documents import providers

HOME = "oneapi/providers"
SHAPES = {
    f"{HOME}/profiles": {f"oneapi.providers.profiles.{shape}" for shape in ("quirk", "ability", "family")},
    HOME: {"oneapi.providers.spec"},
}
SIGNING = "oneapi.providers.signing."
"""What makes a signer of a credential is named by the row of the provider that wants it."""
NO_ROWS = {"__init__.py", "spec.py", "registry.py", "quirk.py", "ability.py", "family.py", "lookup.py"}
PATHS = [path for path in product_files() if str(path.parent) in SHAPES and path.name not in NO_ROWS]


def imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_rows_import_nothing_but_their_shape(path: Path) -> None:
    (shape,) = {name for name in imported(parsed(path)) - {"re"} if not name.startswith(SIGNING)}
    assert shape in SHAPES[str(path.parent)]


def test_there_are_rows() -> None:
    assert {path.stem for path in PATHS} >= {"openai_compatible", "azure_openai", "openai_chat", "abilities"}


def test_what_else_would_be_seen() -> None:
    assert imported(ast.parse("import os\nfrom oneapi.dialects import request")) == {"os", "oneapi.dialects"}


def test_the_page_says_what_the_rows_say() -> None:
    assert providers.PAGE.relative_to(ROOT).as_posix() == "docs/providers.md"
    assert providers.PAGE.read_text() == providers.page(), "run: make docs"
