"""Makes .venv ready: `python3 -I oneapi/stack/bootstrap.py run|test`, with nothing but Python itself.

It decides which Python will do, which locks are installed, and that nothing is done twice for the same locks. It runs
before any package is there, so it imports none, of ours neither; old Pythons must be able to read it this far.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
BUILD_LOCK = "requirements-build.lock"
LOCKS = {"run": "requirements.lock", "test": "requirements-dev.lock"}
NEEDED_BYTES = {"run": 1_500_000_000, "test": 3_000_000_000}


class SetupProblem(Exception):
    """One clear sentence, with what to run."""


def stamp_of(kind: str, project: Path = PROJECT, version: str = sys.version) -> str:
    """What the installed packages depend on, as one word."""
    digest = hashlib.sha256(version.encode())
    for name in (LOCKS[kind], BUILD_LOCK, "pyproject.toml"):
        digest.update((project / name).read_bytes())
    return digest.hexdigest()


def is_done(kind: str, venv: Path = VENV, project: Path = PROJECT) -> bool:
    """Whether the packages for `kind` are installed; those for tests include those for running."""
    for candidate in {kind, "test"}:
        stamp = venv / (".stamp-" + candidate)
        if stamp.exists() and stamp.read_text() == stamp_of(candidate, project):
            return (venv / "bin/python").exists()
    return False


def run(command: "list[str]", hint: str) -> None:
    """Runs a program quietly. Raises SetupProblem with its last line and `hint`, the command to try by hand."""
    result = subprocess.run(command, cwd=str(PROJECT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode:
        lines = [line.strip() for line in result.stdout.decode(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith("error")]
        why = (errors or lines or ["it said nothing"])[-1]
        raise SetupProblem(f"Setting up .venv failed: {why} Run it by hand: {hint}")


def check_machine(kind: str) -> None:
    """Raises SetupProblem when this Python or this disk won't do."""
    if sys.version_info < OLDEST:
        raise SetupProblem(
            f"One API needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}. "
            f"Run: make {kind} PYTHON=python3.11"
        )
    free = shutil.disk_usage(str(PROJECT)).free
    if free < NEEDED_BYTES[kind]:
        raise SetupProblem(
            f"There are only {free // 1_000_000} MB free on the disk of {PROJECT}; "
            f"its packages need {NEEDED_BYTES[kind] // 1_000_000} MB."
        )


def make_venv() -> None:
    """A virtual environment of this Python, unless there is a working one of it."""
    python = VENV / "bin/python"
    if python.exists():
        asked = subprocess.run(
            [str(python), "-c", "import sys; print(sys.version)"], stdout=subprocess.PIPE, check=False
        )
        version = tuple(int(part) for part in asked.stdout.decode().partition(" ")[0].split(".")[:2] if part.isdigit())
        if version >= OLDEST:
            return
    if importlib.util.find_spec("ensurepip") is None:
        # Debian keeps this part of Python in a package of its own.
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        hint = f"sudo apt-get install {package}"
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise SetupProblem(f"This Python can't make virtual environments. Run: {hint}")
        run(["apt-get", "-q", "update"], hint)
        run(["apt-get", "-q", "-y", "install", "--no-install-recommends", package], hint)
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], "python3 -m venv .venv")


def install(kind: str) -> None:
    """Exactly what the locks say, by hash: with uv, or with pip where uv doesn't run."""
    python, lock, uv = str(VENV / "bin/python"), LOCKS[kind], VENV / "bin/uv"
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "--no-deps", "-q"]
    by_hand = ".venv/bin/python -m pip install --require-hashes --no-deps -r {}".format
    run([*pip, "-r", BUILD_LOCK], by_hand(BUILD_LOCK))
    target = ["--python", python, "--require-hashes", "--compile-bytecode"]
    # Tests run on the locks and nothing else; running doesn't take the tests' packages away.
    command = ["sync", lock, BUILD_LOCK] if kind == "test" else ["install", "--no-deps", "-r", lock]
    try:
        run([str(uv), "pip", *command, *target], "")
    except (SetupProblem, OSError):
        run([*pip, "-r", lock], by_hand(lock))
    editable = ["--disable-pip-version-check", "--no-deps", "--no-build-isolation", "-q", "-e", "."]
    run([python, "-m", "pip", "install", *editable], ".venv/bin/python -m pip install --no-deps -e .")


def main(kind: str) -> int:
    """Exit code 0 when .venv is ready."""
    try:
        if sys.version_info < OLDEST:
            check_machine(kind)
        if is_done(kind):
            return 0
        (PROJECT / ".tools").mkdir(exist_ok=True)
        with (PROJECT / ".tools/.setup-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if is_done(kind):
                return 0
            check_machine(kind)
            sys.stderr.write("Setting up .venv; the first time takes about half a minute.\n")
            make_venv()
            install(kind)
            (VENV / (".stamp-" + kind)).write_text(stamp_of(kind))
    except SetupProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except OSError as problem:
        sys.stderr.write(f"{problem.filename or PROJECT} can't be used: {problem.strerror}.\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
