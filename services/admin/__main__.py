"""`python -m services.admin`: the admin process."""

import os

from oneapi.runtime import lifecycle, logs
from oneapi.runtime.environment import Environment
from services.admin.service import AdminService
from services.admin.settings import Settings


def main() -> None:
    """Runs until a signal; exit status 2 for a bad setting."""
    lifecycle.run(_service)


def _service() -> AdminService:
    settings = Settings.read(Environment(os.environ))
    logs.configure("admin", settings.log_level)
    return AdminService(settings)


if __name__ == "__main__":
    main()
