"""Passwords, hashed with argon2id.

Decides the cost of a guess, and that the cost is the same whether or not the login exists. Hashing runs in threads,
two at a time, so that logins can't take the process away from everyone else. It must not know whose password it is.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

Result = TypeVar("Result")

_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
_AT_A_TIME = 2
# It has the costs of a real one, and no password is known that has it: both salt and digest are zeros.
_NOBODYS_HASH = (
    f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}${'A' * 22}${'A' * 43}"
)


class Passwords:
    """Hashes and checks passwords."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_AT_A_TIME)

    async def hash(self, password: str) -> str:
        """The text to store."""
        return await self._run(lambda: _HASHER.hash(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether it is the password; None as the hash costs as much and is never one."""

        def verify() -> bool:
            try:
                return _HASHER.verify(stored or _NOBODYS_HASH, password) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

        return await self._run(verify)

    async def _run(self, work: Callable[[], Result]) -> Result:
        async with self._slots:
            return await asyncio.to_thread(work)
