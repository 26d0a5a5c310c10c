"""Tiny programs for the supervisor to run, and waiting for what they do."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from oneapi.stack.plan import Plan

STEADY = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path(sys.argv[1]).write_text(str(__import__("os").getpid()))
signal.pause()
"""
STUBBORN = STEADY.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN").replace(
    "signal.pause()", "while True: signal.pause()"
)
PARENT = STEADY.replace(
    "signal.pause()",
    "import subprocess\nsubprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1] + '.child'])\nsignal.pause()",
)


def plan(name: str, folder: Path, source: str = STEADY, *more: str) -> Plan:
    """A program that writes its process id into a file named like itself, and is ready then."""
    marker = folder / f"{name}.pid"
    return Plan(
        name,
        (sys.executable, "-I", "-S", "-c", source, str(marker), *more),
        folder / f"{name}.log",
        ready=lambda: running(pid_in(marker)),
        ready_limit_s=10,
    )


def pid_in(marker: Path) -> int:
    """The process id in a file; 0 when it isn't written yet."""
    try:
        return int(marker.read_text() or 0)
    except FileNotFoundError:
        return 0


def running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return pid > 0 and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], bool], limit_s: float = 10.0) -> float:
    """Waits for a condition, for `limit_s` seconds at most; the seconds that it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < limit_s, "the condition was not met in time"
        time.sleep(0.02)
    return time.monotonic() - begun
