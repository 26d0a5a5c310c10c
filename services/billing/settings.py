"""Billing's settings: every environment variable that it reads, with its default.

It decides names and defaults only, and must not know what they are used for.
"""

import re
import socket
from dataclasses import dataclass

from oneapi.runtime.environment import Environment, SettingError

DEFAULT_PORT = 3102
DEFAULT_HEALTH_PORT = 3112


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where the stores are; `python -m services.billing.verify` needs nothing else. URLs hold passwords."""

    nats_url: str
    redis_url: str
    clickhouse_url: str
    clickhouse_cluster: str

    @classmethod
    def read(cls, env: Environment) -> "StoreSettings":
        """The settings of this process. Raises SettingError."""
        cluster = env.optional("ONEAPI_CLICKHOUSE_CLUSTER") or ""
        if cluster and not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", cluster):
            raise SettingError("ONEAPI_CLICKHOUSE_CLUSTER", "may hold letters, digits, _ . and - only")
        return cls(
            nats_url=env.text("NATS_URL", "nats://127.0.0.1:4222"),
            redis_url=env.text("REDIS_URL", "redis://127.0.0.1:6379/0"),
            clickhouse_url=env.text("CLICKHOUSE_URL", "http://127.0.0.1:8123/oneapi"),
            clickhouse_cluster=cluster,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Times in seconds."""

    stores: StoreSettings
    host: str
    port: int
    health_port: int
    metrics_port: int | None
    secret_key: str
    replica: str
    lease_s: float
    barrier_max_wait_s: float
    nats_replicas: int
    trace_sample: float
    otlp_endpoint: str | None
    log_level: str
    previous_secret_keys: tuple[str, ...] = ()

    @classmethod
    def read(cls, env: Environment) -> "Settings":
        """The settings of this process. Raises SettingError."""
        return cls(
            stores=StoreSettings.read(env),
            host=env.text("ONEAPI_HOST", "127.0.0.1"),
            port=env.integer("ONEAPI_BILLING_PORT", DEFAULT_PORT, 1, 65_535),
            health_port=env.integer("ONEAPI_BILLING_HEALTH_PORT", DEFAULT_HEALTH_PORT, 1, 65_535),
            metrics_port=env.port("ONEAPI_METRICS_PORT"),
            secret_key=env.text("ONEAPI_SECRET_KEY"),
            previous_secret_keys=env.texts("ONEAPI_SECRET_KEY_PREVIOUS", 2),
            replica=env.text("ONEAPI_BILLING_REPLICA", socket.gethostname()),
            lease_s=env.number("ONEAPI_BILLING_LEASE_SECONDS", 5.0, 1, 300),
            barrier_max_wait_s=env.number("ONEAPI_BILLING_BARRIER_SECONDS", 900.0, 1),
            nats_replicas=env.integer("ONEAPI_NATS_REPLICAS", 1, 1, 5),
            trace_sample=env.number("ONEAPI_TRACE_SAMPLE", 0.05, 0, 1),
            otlp_endpoint=env.optional("OTEL_EXPORTER_OTLP_ENDPOINT"),
            log_level=env.log_level("ONEAPI_LOG_LEVEL"),
        )
