"""Takes each mechanism out of a copy of the project and runs its rows: `python -m tests.security.mutants [WORD …]`.

Prints a line for each. The exit code is 1 when a row passes that must fail.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.gateway import ROOT
from tests.security.mutants.hole import Hole
from tests.security.mutants.planted import MUTANTS

PARTS = ("oneapi", "services", "proto", "tests")
FILES = ("pyproject.toml", "requirements-stack.lock")
TOOLS = ".tools"
LIMIT_S = 600
FAILED = re.compile(r"^FAILED \S+\[([A-Z]-\d+)\]", re.MULTILINE)
WHY = re.compile(r"^E +(?!AssertionError: [A-Z]-\d)(\S.{,120})", re.MULTILINE)


def plant(hole: Hole, root: Path) -> None:
    """A copy of the project without the mechanism."""
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, root / name)
    if (ROOT / TOOLS).exists():
        (root / TOOLS).symlink_to(ROOT / TOOLS)
    for change in hole.changes:
        path = root / change.file
        text = path.read_text()
        if text.count(change.old) != 1:
            raise SystemExit(f"{hole.name}: {change.file} has {text.count(change.old)} places to change, not one")
        path.write_text(text.replace(change.old, change.new))


def failing_rows(hole: Hole, root: Path) -> tuple[set[str], str, str]:
    """The rows that fail in the copy, of those that the hole names; the first thing wrong; the end of what was said."""
    command = [sys.executable, "-m", "pytest", "-q", "-k", " or ".join(hole.rows)]
    command += ["tests/security/test_outside.py", "tests/security/test_inside.py"]
    done = subprocess.run(
        command,
        cwd=root,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    why = WHY.search(done.stdout)
    return set(FAILED.findall(done.stdout)), why[1].replace("|", "/") if why else "-", done.stdout[-2_000:]


def main() -> int:
    wanted = sys.argv[1:]
    survivors = 0
    print("| taken out | rows that must fail | failed | first of what was wrong |\n|---|---|---|---|", flush=True)
    for hole in MUTANTS:
        if wanted and not any(word in hole.name or word in hole.rows for word in wanted):
            continue
        folder = Path(tempfile.mkdtemp(prefix="oneapi-hole-"))
        root = folder / "project"
        plant(hole, root)
        failed, why, said = failing_rows(hole, root)
        survives = not set(hole.rows) <= failed
        survivors += survives
        print(f"| {hole.name} | {', '.join(hole.rows)} | {', '.join(sorted(failed)) or '-'} | {why} |", flush=True)
        if survives:
            print(said, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"survivors {survivors}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
