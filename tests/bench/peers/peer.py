"""What the bench knows of another gateway, how one is installed under .bench/, and how its process ends."""

import contextlib
import dataclasses
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.bench.machine import SYSTEM_UNDER_TEST, pin, tree
from tests.bench.programs import BUILD, Target, wait_for

FEATURES = ("authentication", "budget", "reservation", "usage event", "spend log", "database")
INSTALL_LIMIT_S = 600
START_LIMIT_S = 90.0

Process = subprocess.Popen[bytes]


class PeerSkipped(Exception):
    """This peer can't take part. `str()` says why."""


@dataclasses.dataclass(frozen=True)
class Peer:
    """A gateway that may take part. `features` says, for each of FEATURES, what the bench has on.

    `start(mock, folder)` starts it before the mock's port, with its files in `folder`; it raises PeerSkipped.
    """

    name: str
    version: str
    features: dict[str, str]
    start: Callable[[int, Path], tuple[Process, Target]]


def install(name: str, locks: list[Path], commands: list[list[str]]) -> Path:
    """The peer's folder, installed by these commands unless it was with these locks. Raises PeerSkipped."""
    folder = BUILD / "peers" / name
    stamp = folder / ".installed"
    wanted = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for lock in locks:
        shutil.copy(lock, folder)
    for command in commands:
        if shutil.which(command[0], path=f"{folder}/bin:{os.environ['PATH']}") is None:
            raise PeerSkipped(f"{command[0]} isn't on this machine")
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise PeerSkipped(f"`{' '.join(command)}` took longer than {INSTALL_LIMIT_S} s") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
            raise PeerSkipped(f"`{' '.join(command)}` failed and said: {said[-1]}")
    stamp.write_text(wanted)
    return folder


def launch(command: list[str], environment: dict[str, str], target: Target, log: Path) -> tuple[Process, Target]:
    """Starts a peer on the core of the system under test and waits for its first answer. Raises PeerSkipped."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
    target.pid = target.whole = process.pid
    pin(process.pid, SYSTEM_UNDER_TEST)
    try:
        wait_for(target, START_LIMIT_S)
    except AssertionError:
        end(process)
        said = log.read_text(errors="replace").strip().splitlines() or ["nothing"]
        raise PeerSkipped(f"no answer within {START_LIMIT_S:.0f} s; it said last: {said[-1]}") from None
    # And what it had started before it was pinned.
    pin(process.pid, SYSTEM_UNDER_TEST)
    return process, target


def end(process: Process) -> None:
    """Ends the process and what it started."""
    for pid in tree(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(10)
