"""Commands that work on a running stack get its addresses from the data directory.

It decides when they may: only while the stack runs, and never over what the environment says.
"""

import time
from collections.abc import Mapping

from oneapi.stack.data_directory import DataDirectory
from oneapi.stack.problem import StackProblem

ADDRESSES = ("NATS_URL", "REDIS_URL", "CLICKHOUSE_URL", "DATABASE_URL", "ONEAPI_ADMIN_URL")


PATIENCE_S = 60.0
POLL_S = 0.1


def complete(
    environment: Mapping[str, str], directory: DataDirectory, patience_s: float = PATIENCE_S
) -> dict[str, str]:
    """`environment`, filled up from the running stack; one that is still starting is waited for.

    Raises StackProblem when the environment names nothing and no stack runs, or it doesn't get ready.
    """
    deadline = time.monotonic() + patience_s
    while directory.owner() is not None:
        state = directory.read(directory.state_file)
        # A file of an earlier run, which was killed, names an earlier process.
        if state.get("pid") == directory.owner():
            given = {name: value for name, value in environment.items() if value}
            return {**state["environment"], **given}
        if time.monotonic() >= deadline:
            raise StackProblem(f"The stack on {directory.path} is still starting; try again when it is ready.")
        time.sleep(POLL_S)
    if any(environment.get(name) for name in ADDRESSES):
        return dict(environment)
    raise StackProblem(f"No stack runs on {directory.path}, and the environment names no servers.", "make run")
