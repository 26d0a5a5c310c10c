"""The project's own Python sources, as the architecture tests see them."""

import ast
import gc
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
GENERATED = ("_pb2.py", "_pb2_grpc.py")


def product_files() -> list[Path]:
    """Every hand-written module of the product, relative to the root."""
    return sorted(
        path.relative_to(ROOT)
        for top in ("oneapi", "services")
        for path in (ROOT / top).rglob("*.py")
        if not path.name.endswith(GENERATED)
    )


def files_of_tests() -> list[Path]:
    """Every module of the tests, relative to the root."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    """A module's syntax tree.

    The garbage collector waits meanwhile: CPython 3.11 fails with `SystemError: AST constructor recursion depth
    mismatch` when a finalizer that it runs parses something, too, as does the traceback of what a finalizer raises.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return ast.parse((ROOT / path).read_text())
    finally:
        if was_enabled:
            gc.enable()


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Qualified names of a module's functions with their length in lines, decorators left out."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{prefix}{child.name}"
                yield name, (child.end_lineno or child.lineno) - child.lineno + 1
                yield from walk(child, f"{name}.")
            elif isinstance(child, ast.ClassDef):
                yield from walk(child, f"{prefix}{child.name}.")
            else:
                yield from walk(child, prefix)

    yield from walk(parsed(path), "")
