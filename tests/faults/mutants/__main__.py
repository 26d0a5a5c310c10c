"""`python -m tests.faults.mutants [NAME …]`: plants each bug in a copy of the project and looks whether it is found.

Prints a line for each: what was found, and by which invariant. The exit code is 1 when one survives that must not.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.e2e.gateway import ROOT
from tests.faults.mutants.planted import MUTANTS, Mutant
from tests.faults.stage import Stage

PARTS = ("oneapi", "services", "proto")
QUIET_S = 25


def plant(mutant: Mutant, folder: Path) -> Path:
    """A copy of the project with the bug in it."""
    root = folder / "project"
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for change in mutant.changes:
        path = root / change.file
        text = path.read_text()
        if text.count(change.old) != 1:
            raise SystemExit(f"{mutant.name}: {change.file} has {text.count(change.old)} places to change, not one")
        path.write_text(text.replace(change.old, change.new))
    return root


def play(mutant: Mutant, folder: Path) -> tuple[set[str], str]:
    """The invariants that were seen broken, and the first complaint."""
    stage = Stage(folder, plant(mutant, folder), seed=9, injected=mutant.injected)
    try:
        mutant.faults(stage)
        stage.cluster.mend()
        verdict = stage.judge(QUIET_S)
        expected = [what for what in verdict.complaints if what.split(":")[0] in mutant.expected]
        return set(verdict.broken), (expected or verdict.complaints or [""])[0]
    finally:
        stage.close()


def main() -> int:
    wanted = sys.argv[1:]
    survivors = 0
    print("| planted bug | found | invariants | such as |\n|---|---|---|---|", flush=True)
    for mutant in MUTANTS:
        if wanted and not any(word in mutant.name for word in wanted):
            continue
        folder = Path(tempfile.mkdtemp(prefix="oneapi-mutant-"))
        broken, complaint = play(mutant, folder)
        found = bool(broken & mutant.expected)
        survivors += bool(mutant.expected) and not found
        surprising = not mutant.expected and broken
        word = "yes" if found else "by surprise" if surprising else "no"
        what = complaint[:160].replace("\n", " ") or mutant.why
        print(f"| {mutant.name} | {word} | {', '.join(sorted(broken)) or '-'} | {what} |", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"survivors {survivors}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
