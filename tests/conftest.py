"""Fixtures for every test; a server starts only when a test asks for its URL."""

from tests.servers import clickhouse_database, clickhouse_url, nats_url, postgres_url, redis_url, servers

__all__ = ["clickhouse_database", "clickhouse_url", "nats_url", "postgres_url", "redis_url", "servers"]
