"""Starts the router: `python -m services.router`."""

import os

from oneapi.runtime import logs
from oneapi.runtime.environment import Environment
from oneapi.runtime.lifecycle import run
from services.router.process import RouterProcess
from services.router.settings import Settings


def make_service() -> RouterProcess:
    """The service as the environment describes it. Raises SettingError."""
    settings = Settings.read(Environment(os.environ))
    logs.configure(RouterProcess.name, settings.log_level)
    return RouterProcess(settings)


def main() -> None:
    """Runs until a signal."""
    run(make_service)


if __name__ == "__main__":
    main()
