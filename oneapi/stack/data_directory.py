"""The data directory of `oneapi up`: who may use it, and the small private files that it keeps.

It decides file names and modes. It must not know what the servers and services put in their own folders.
"""

import errno
import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any, TextIO

from oneapi.stack.plan import write_private
from oneapi.stack.problem import StackProblem

NEEDED_BYTES = 1_000_000_000


class DataDirectory:
    """A directory that one running stack owns. `claim` before writing anything into it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: TextIO | None = None

    @property
    def state_file(self) -> Path:
        """Addresses and secrets of the running stack, for `oneapi apply` and the like."""
        return self.path / "stack.json"

    @property
    def secrets_file(self) -> Path:
        """What was generated once and must stay the same."""
        return self.path / "secrets.json"

    def claim(self) -> None:
        """Makes it, checks it and locks it until this process ends. Raises StackProblem."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Kept open on purpose: the lock is gone with it.
            lock = (self.path / "lock").open("a+")
        except OSError as problem:
            raise StackProblem(unusable(self.path, problem)) from problem
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise StackProblem(
                f"A stack is already running on {self.path} (process {owner}); stop it, "
                "or set ONEAPI_DATA_DIR and ONEAPI_PORT for a second one."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        free = shutil.disk_usage(self.path).free
        if free < NEEDED_BYTES:
            raise StackProblem(
                f"There are only {free // 1_000_000} MB free on the disk of {self.path}; "
                f"the stack needs {NEEDED_BYTES // 1_000_000} MB."
            )

    def release(self) -> None:
        """Takes back the state file and the claim."""
        self.state_file.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def owner(self) -> int | None:
        """The process id of the running stack that has claimed it, or None."""
        try:
            with (self.path / "lock").open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(lock.read() or 0) or None
        except (OSError, ValueError):
            return None
        return None

    def folder(self, name: str) -> Path:
        """A folder inside, made when needed."""
        path = self.path / name
        path.mkdir(exist_ok=True, mode=0o700)
        return path

    def read(self, path: Path) -> dict[str, Any]:
        """A JSON document of ours; empty when there is none. Raises StackProblem when it is damaged."""
        try:
            found = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        except ValueError as problem:
            raise StackProblem(f"{path} is damaged; restore it, or delete {self.path} for a fresh start.") from problem
        if not isinstance(found, dict):
            raise StackProblem(f"{path} is damaged; restore it, or delete {self.path} for a fresh start.")
        return found

    def write(self, path: Path, document: dict[str, Any]) -> None:
        """Replaces a JSON document of ours at once, readable by its owner only."""
        draft = path.with_suffix(".new")
        write_private(draft, json.dumps(document, indent=2) + "\n")
        draft.replace(path)


def unusable(path: Path, problem: OSError) -> str:
    """One sentence about a path that can't be written."""
    if problem.errno == errno.ENOSPC:
        return f"There is no space left on the disk of {path}."
    return f"{path} can't be used: {problem.strerror or problem}."
