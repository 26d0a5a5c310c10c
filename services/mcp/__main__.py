"""Starts the MCP gateway: `python -m services.mcp`."""

import logging
import os

from oneapi.runtime import logs
from oneapi.runtime.environment import Environment
from oneapi.runtime.lifecycle import run
from services.mcp.process import McpProcess
from services.mcp.settings import Settings

SILENCED = ("mcp", "httpx2", "httpcore2")
"""The libraries log addresses and parts of answers; what matters of it is logged by us."""


def make_service() -> McpProcess:
    """The service as the environment describes it. Raises SettingError."""
    settings = Settings.read(Environment(os.environ))
    logs.configure(McpProcess.name, settings.log_level)
    for name in SILENCED:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return McpProcess(settings)


def main() -> None:
    """Runs until a signal."""
    run(make_service)


if __name__ == "__main__":
    main()
