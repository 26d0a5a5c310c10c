"""The settings of the router, read once from the environment.

It decides names and defaults, and must not know what the settings are used for.
"""

from dataclasses import dataclass

from oneapi.runtime.environment import Environment

DEFAULT_PORT = 3101
DEFAULT_HEALTH_PORT = 3111


@dataclass(frozen=True)
class Settings:
    """What an operator can set. Ports are TCP ports; `trace_sample` is a ratio from 0 to 1."""

    host: str
    port: int
    health_port: int
    metrics_port: int | None
    nats_url: str
    secret_key: str
    log_level: str
    trace_sample: float
    otlp_endpoint: str | None
    previous_secret_keys: tuple[str, ...] = ()

    @classmethod
    def read(cls, env: Environment) -> "Settings":
        """The settings of this process. Raises SettingError."""
        return cls(
            host=env.text("ONEAPI_HOST", "127.0.0.1"),
            port=env.port("ONEAPI_ROUTER_PORT", DEFAULT_PORT) or DEFAULT_PORT,
            health_port=env.port("ONEAPI_ROUTER_HEALTH_PORT", DEFAULT_HEALTH_PORT) or DEFAULT_HEALTH_PORT,
            metrics_port=env.port("ONEAPI_METRICS_PORT"),
            nats_url=env.text("NATS_URL", "nats://127.0.0.1:4222"),
            secret_key=env.text("ONEAPI_SECRET_KEY"),
            previous_secret_keys=env.texts("ONEAPI_SECRET_KEY_PREVIOUS", 2),
            log_level=env.log_level("ONEAPI_LOG_LEVEL"),
            trace_sample=env.number("ONEAPI_TRACE_SAMPLE", 0.05, low=0, high=1),
            otlp_endpoint=env.optional("OTEL_EXPORTER_OTLP_ENDPOINT"),
        )
