"""Starts the edge: `python -m services.edge`."""

import os

from oneapi.runtime.environment import Environment
from oneapi.runtime.lifecycle import run
from services.edge.service import EdgeService
from services.edge.settings import Settings


def main() -> None:
    """Runs until a signal."""
    run(lambda: EdgeService(Settings.read(Environment(os.environ))))


if __name__ == "__main__":
    main()
