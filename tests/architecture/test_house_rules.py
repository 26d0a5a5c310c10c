"""The rules of the house that a machine can check: size, names, docstrings, and that unit tests mirror the source."""

import ast
import tomllib
from typing import Any

from tests.architecture.sources import ROOT, files_of_tests, functions, parsed, product_files

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
BANNED_NAMES = {"utils", "helpers", "common", "misc", "shared", "base", "manager"}


def exemptions(kind: str) -> list[dict[str, Any]]:
    table = tomllib.loads((ROOT / "tests/architecture/exemptions.toml").read_text())
    rows: list[dict[str, Any]] = table.get(kind, [])
    return rows


def test_modules_are_small() -> None:
    allowed = {row["path"]: row["lines"] for row in exemptions("module")}
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in product_files()}
    too_long = {p: n for p, n in lengths.items() if n > allowed.get(p, MAX_MODULE_LINES)}
    assert not too_long, "split these, or give a reason in exemptions.toml"


def test_functions_are_small() -> None:
    allowed = {(row["path"], row["name"]): row["lines"] for row in exemptions("function")}
    too_long = {
        f"{path}:{name}": length
        for path in product_files()
        for name, length in functions(path)
        if length > allowed.get((str(path), name), MAX_FUNCTION_LINES)
    }
    assert not too_long, "split these, or give a reason in exemptions.toml"


def test_exemptions_have_reasons_and_are_needed() -> None:
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in product_files()}
    bodies = {(str(path), name): length for path in product_files() for name, length in functions(path)}
    for row in exemptions("module"):
        assert len(row["reason"]) > 20
        assert lengths.get(row["path"], 0) > MAX_MODULE_LINES, f"{row['path']} no longer needs its exemption"
    for row in exemptions("function"):
        assert len(row["reason"]) > 20
        assert bodies.get((row["path"], row["name"]), 0) > MAX_FUNCTION_LINES, f"{row} is no longer needed"


def test_nothing_has_a_name_that_says_nothing() -> None:
    named = [
        str(path)
        for path in [*product_files(), *files_of_tests()]
        if BANNED_NAMES & {part.removesuffix(".py") for part in path.parts}
    ]
    assert not named


def test_every_module_says_what_it_is_about() -> None:
    silent = []
    for path in product_files():
        tree = parsed(path)
        if tree.body and not ast.get_docstring(tree):
            silent.append(str(path))
    assert not silent


def test_unit_tests_mirror_the_source() -> None:
    """A unit test's path names the module or the package that it tests."""
    strays = []
    for path in files_of_tests():
        if path.parts[:2] != ("tests", "unit") or not path.name.startswith("test_"):
            continue
        target = ROOT.joinpath(*path.parts[2:-1])
        subject = path.name.removeprefix("test_").removesuffix(".py")
        if not (target / f"{subject}.py").exists() and not (target / subject).is_dir():
            strays.append(str(path))
    assert not strays


def test_unit_tests_touch_no_network() -> None:
    forbidden = {"socket", "testcontainers", "subprocess"}
    guilty = []
    for path in files_of_tests():
        if path.parts[:2] != ("tests", "unit"):
            continue
        for node in ast.walk(parsed(path)):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            if any(name.split(".")[0] in forbidden for name in names):
                guilty.append(str(path))
    assert not guilty


def test_no_test_sleeps_for_a_fixed_time() -> None:
    """Waiting is for a condition, with a bound; a poll inside such a wait is at most 100 ms."""
    guilty = []
    for path in files_of_tests():
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "sleep":
                continue
            argument = node.args[0] if node.args else None
            if isinstance(argument, ast.Constant) and isinstance(argument.value, int | float) and argument.value > 0.1:
                # A silent upstream and an idle process under measurement are subjects, not waits.
                guilty.append(f"{path}:{node.lineno}")
    assert not [row for row in guilty if not row.startswith(("tests/upstream/", "tests/bench/"))]
