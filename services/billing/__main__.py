"""`python -m services.billing`: one replica of billing, until a signal."""

import os

from oneapi.runtime import lifecycle, logs
from oneapi.runtime.environment import Environment
from services.billing.service import BillingService
from services.billing.settings import Settings


def main() -> None:
    """Runs the service; ends the process."""
    lifecycle.run(_service)


def _service() -> BillingService:
    settings = Settings.read(Environment(os.environ))
    logs.configure("billing", settings.log_level)
    return BillingService(settings)


if __name__ == "__main__":
    main()
