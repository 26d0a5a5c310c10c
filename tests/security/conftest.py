"""The gateway, upstream and collector of the end-to-end tests: one of each for this folder's one file of tests."""

from tests.e2e.conftest import collector, gateway, upstream

__all__ = ["collector", "gateway", "upstream"]
