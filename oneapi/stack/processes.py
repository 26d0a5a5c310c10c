"""Child processes: started tethered to this one, with their output in a file, and ended politely, then surely.

It decides how a child begins and ends. It must not know which program it is, nor when to restart one.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from oneapi.stack.problem import StackProblem

TETHER = Path(__file__).with_name("tether.py")
POLL_S = 0.02
LOG_LIMIT_BYTES = 20_000_000
ERROR_LEVELS = frozenset({"error", "critical"})


class Child:
    """One running program in its own process group, tethered to this process."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Starts it. Standard output and error are appended to `log`. Call from a thread that lives on."""
        self.name = name
        self.log = log
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))
        line = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), "--", *command]
        with log.open("ab") as output:
            self._log_from = output.tell()
            self._process = subprocess.Popen(
                line, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, cwd=cwd, process_group=0
            )
        self.started_at = time.monotonic()

    @property
    def pid(self) -> int:
        """The process id; the tether becomes the program, so it is the program's own."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs, else its exit code (negative: the signal that ended it)."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the whole group; a group that is gone is fine."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def wait_until(self, ready: Callable[[], bool], limit_s: float) -> None:
        """Returns once `ready()`; raises StackProblem with the log's last words when it ended or took too long."""
        deadline = time.monotonic() + limit_s
        while not ready():
            if self.exit_code() is not None:
                raise StackProblem(self.epitaph())
            if time.monotonic() > deadline:
                raise StackProblem(self.complaint(limit_s))
            time.sleep(POLL_S)

    def epitaph(self) -> str:
        """A sentence on a child that ended at its start."""
        return f"{self.name} ended at its start ({ending(self.exit_code() or 0)}): {self.last_words()}"

    def complaint(self, limit_s: float, missing: str = "") -> str:
        """A sentence on a child that runs and is not ready."""
        return f"{self.name} was not ready after {limit_s:g} s: {missing or self.last_words()} (log: {self.log})"

    def reap(self) -> None:
        """Waits for a child that has been killed."""
        self._process.wait()

    def last_words(self) -> str:
        """What its log of this run says at the end, in plain words: the last error, else the last line."""
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return last_words(log.read().decode(errors="replace"))


def last_words(text: str) -> str:
    """The last error in a log, else its last line; of a line in JSON the message, and the exception's last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    entries = [entry(line) for line in lines]
    errors = [found for found in entries if found.get("level") in ERROR_LEVELS]
    found = (errors or entries or [{"message": "it said nothing"}])[-1]
    exception = str(found.get("exception", "")).strip().splitlines()[-1:]
    return ": ".join([str(found["message"]).strip(), *exception])


def entry(line: str) -> dict[str, Any]:
    """A line of a log as a document with a message."""
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) and "message" in found else {"message": line}


def ending(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def never() -> bool:
    """Nobody is impatient."""
    return False


def end(children: Sequence[Child], limit_s: float, impatient: Callable[[], bool] = never) -> list[str]:
    """Ends them together: SIGTERM, then SIGKILL to what still runs after `limit_s`, or once somebody is impatient.

    Returns the names of those that had to be killed.
    """
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + limit_s
    while any(child.exit_code() is None for child in children):
        if time.monotonic() >= deadline or impatient():
            break
        time.sleep(POLL_S)
    stubborn = [child for child in children if child.exit_code() is None]
    for child in children:
        # Also to groups whose leader is gone: a worker left behind would keep a port or a file.
        child.signal(signal.SIGKILL)
    for child in stubborn:
        child.reap()
    return [child.name for child in stubborn]
