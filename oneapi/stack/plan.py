"""What it takes to run one thing of the stack, a server or a service, and to know that it is ready.

It decides nothing; it is what the servers and services describe and the supervisor carries out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from oneapi.stack.processes import Child

READY_LIMIT_S = 120.0
"""Generous: a part that ends is seen at once, and a machine may be busy."""


@dataclass(frozen=True)
class Plan:
    """One process to run. `ready()` asks it, quickly, and answers False instead of raising while it is not.

    `missing()` says what it waits for, in a few words; "" when it can't be asked.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    ready: Callable[[], bool]
    missing: Callable[[], str] = str
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    ready_limit_s: float = READY_LIMIT_S

    def start(self) -> Child:
        """Starts it, without waiting."""
        return Child(self.name, self.command, self.log, env=self.env, cwd=self.cwd)


@dataclass(frozen=True)
class Login:
    """The user and password that our own servers ask for, so that other users of this machine stay outside."""

    user: str
    password: str


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
