"""Runs one target in a process of its own: `python -m tests.fuzz.guided TARGET CASES SEED FOLDER`.

Guided by coverage where Atheris is installed (it ends the process itself), else by mutation of the target's seeds. The
last line of its output is the number of cases. An input that fails is written to the folder, and the exit code isn't 0.
"""

import hashlib
import importlib
import importlib.util
import random
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.mutation import mutated

TARGETS = "tests.fuzz.targets"
MAX_BYTES = 4_096
CASE_LIMIT_S = 10
MEMORY_LIMIT_MB = 1_024


def unguided(check: Callable[[bytes], None], seeds: list[bytes], cases: int, seed: int, folder: Path) -> int:
    """Mutates the seeds. Returns 1 after the first input that fails, which it keeps."""
    choose = random.Random(seed)
    for number in range(1, cases + 1):
        data = seeds[number - 1] if number <= len(seeds) else mutated(choose.choice(seeds), choose, seeds)[:MAX_BYTES]
        try:
            check(data)
        except Exception:
            traceback.print_exc()
            (folder / f"crash-{hashlib.sha256(data).hexdigest()[:16]}").write_bytes(data)
            sys.stderr.write(f"cases {number}\n")
            return 1
    sys.stderr.write(f"cases {cases}\n")
    return 0


def guided(name: str, module: str, cases: int, seed: int, folder: Path) -> int:
    """libFuzzer with the coverage of the product's bytecode. Doesn't return."""
    import atheris

    # Guided by the product's branches; the oracles' own would only slow it down.
    with atheris.instrument_imports(include=["oneapi", "services", *([] if module == TARGETS else [module])]):
        targets = importlib.import_module(module).TARGETS
    target = targets[name]
    corpus = folder / f"corpus-{name.replace(' ', '-')}"
    corpus.mkdir(parents=True, exist_ok=True)
    for place, data in enumerate(target.seeds):
        (corpus / f"seed-{place}").write_bytes(data)
    count = 0

    def one(data: bytes) -> None:
        nonlocal count
        count += 1
        try:
            target.check(data)
        finally:
            if count == cases or sys.exc_info()[0] is not None:
                sys.stderr.write(f"cases {count}\n")
                sys.stderr.flush()

    options = {
        "runs": cases, "seed": seed, "max_len": MAX_BYTES, "timeout": CASE_LIMIT_S, "rss_limit_mb": MEMORY_LIMIT_MB,
        "artifact_prefix": f"{folder}/", "verbosity": 0,
    }  # fmt: skip
    atheris.Setup([sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(corpus)], one)
    atheris.Fuzz()
    return 0


def main(name: str, cases: int, seed: int, folder: Path, module: str = TARGETS) -> int:
    if importlib.util.find_spec("atheris") is not None:
        return guided(name, module, cases, seed, folder)
    target = importlib.import_module(module).TARGETS[name]
    return unguided(target.check, list(target.seeds), cases, seed, folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), *sys.argv[5:]))
