"""Fixtures for every test; a server starts only when a test asks for its URL."""

import hypothesis

from tests import root_certificates
from tests.servers import clickhouse_database, clickhouse_url, nats_url, postgres_url, redis_url, servers

__all__ = ["clickhouse_database", "clickhouse_url", "nats_url", "postgres_url", "redis_url", "servers"]

# How long an example takes says nothing on a machine that others use, too.
hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")

root_certificates.read_once()
