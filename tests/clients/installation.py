"""Installs the clients into a private folder: Node's from npm by its lock, Python's from PyPI by hashes.

It decides where they are and when they are installed again: when a lock has changed.
"""

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HOME = ROOT / ".clients"
LIMIT_S = 900


def node() -> Path:
    """The folder with `node_modules`, and the scripts of the clients."""
    return packages(HERE / "node", HOME / "node")


def packages(source: Path, folder: Path) -> Path:
    """The folder with `node_modules` by the lock that stands in `source`, and the scripts that stand beside it."""
    lock = source / "package-lock.json"
    if _is_new(folder, lock):
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit("npm is needed to install this; it comes with Node.js")
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder)
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)
        _remember(folder, lock)
    for script in source.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder


def python() -> Path:
    """The interpreter of the Python clients' own environment."""
    folder, lock = HOME / "python", HERE / "python/requirements.lock"
    interpreter = folder / "bin/python"
    if _is_new(folder, lock):
        uv = str(Path(sys.executable).with_name("uv"))
        _run([uv, "venv", "-q", "--clear", "--python", sys.executable, str(folder)], HOME)
        _run([uv, "pip", "install", "-q", "--python", str(interpreter), "--require-hashes", "-r", str(lock)], HOME)
        _remember(folder, lock)
    return interpreter


def program(folder: Path, name: str) -> Path:
    """A program of Node's world, made for this machine: `node`, `claude` or `codex`."""
    modules = folder / "node_modules"
    arm = platform.machine() in {"aarch64", "arm64"}
    place = {
        "node": f"node-linux-{'arm64' if arm else 'x64'}/bin/node",
        "claude": f"@anthropic-ai/claude-code-linux-{'arm64' if arm else 'x64'}/claude",
        "codex": f"@openai/codex-linux-{'arm64' if arm else 'x64'}/vendor/{'aarch64' if arm else 'x86_64'}"
        "-unknown-linux-musl/bin/codex",
    }
    return modules / place[name]


def _is_new(folder: Path, lock: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / "installed"
    return not mark.exists() or mark.read_text() != _digest(lock)


def _remember(folder: Path, lock: Path) -> None:
    (folder / "installed").write_text(_digest(lock))


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, timeout=LIMIT_S)
