"""Names that dashboards rely on are literals of one module: each of them is used, and none is written elsewhere."""

import ast

from oneapi.runtime import semconv
from tests.architecture.sources import ROOT, parsed, product_files

HOME = "oneapi/runtime/semconv.py"
NAMES = {name: value for name, value in vars(semconv).items() if name.isupper()}


def trees(word: str = "") -> dict[str, ast.Module]:
    """Of all modules but that one which have this word in them: a walk over all of them takes seconds."""
    return {
        str(path): parsed(path) for path in product_files() if str(path) != HOME and word in (ROOT / path).read_text()
    }


def names_used(tree: ast.Module) -> set[str]:
    """As `semconv.NAME`, or imported from there by its name."""
    attributes = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "semconv"
    }
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "oneapi.runtime.semconv"
        for alias in node.names
    }
    loaded = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return attributes | (imported & loaded)


def test_every_name_is_used() -> None:
    used = {name for tree in trees("semconv").values() for name in names_used(tree)}
    assert NAMES.keys() - used == set()
    assert used <= NAMES.keys()


def test_no_name_is_written_out_elsewhere() -> None:
    """Only those with a dot or a space in them, or of metrics: no other text is like them by chance."""
    ours = {value for value in NAMES.values() if "." in value or " " in value or value.startswith("oneapi_")}
    written = [
        f"{path}:{node.lineno}: {node.value}"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ours
    ]
    assert not written


def test_no_span_is_named_by_a_literal() -> None:
    """A span's name is the first argument of `start_span` and `start_as_current_span`."""
    literal = [
        f"{path}:{node.lineno}"
        for path, tree in trees("start_").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"start_span", "start_as_current_span"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    assert not literal
