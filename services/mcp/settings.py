"""The settings of the MCP gateway, read once from the environment.

It decides names and defaults, and must not know what the settings are used for.
"""

from dataclasses import dataclass

from oneapi.runtime.client_address import Network, trusted_proxies
from oneapi.runtime.environment import Environment
from oneapi.runtime.origins import origins_of

DEFAULT_PORT = 3103
DEFAULT_PUBLIC_PORT = 3000
DEFAULT_CALL_S = 120.0


@dataclass(frozen=True)
class Settings:
    """What an operator can set. Ports are TCP ports, times seconds, `trace_sample` a ratio from 0 to 1."""

    host: str
    port: int
    metrics_port: int | None
    nats_url: str
    secret_key: str
    public_url: str
    allowed_origins: tuple[str, ...]
    trusted_proxies: tuple[Network, ...]
    allow_private_upstreams: bool
    call_limit_s: float
    log_level: str
    trace_sample: float
    otlp_endpoint: str | None
    previous_secret_keys: tuple[str, ...] = ()

    @classmethod
    def read(cls, env: Environment) -> "Settings":
        """The settings of this process. Raises SettingError."""
        host = env.text("ONEAPI_HOST", "127.0.0.1")
        public_port = env.port("ONEAPI_PORT", DEFAULT_PUBLIC_PORT)
        return cls(
            host=host,
            port=env.port("ONEAPI_MCP_PORT", DEFAULT_PORT) or DEFAULT_PORT,
            metrics_port=env.port("ONEAPI_METRICS_PORT"),
            nats_url=env.text("NATS_URL", "nats://127.0.0.1:4222"),
            secret_key=env.text("ONEAPI_SECRET_KEY"),
            previous_secret_keys=env.texts("ONEAPI_SECRET_KEY_PREVIOUS", 2),
            public_url=env.text("ONEAPI_PUBLIC_URL", f"http://{host}:{public_port}"),
            allowed_origins=origins_of(env),
            trusted_proxies=trusted_proxies(env),
            allow_private_upstreams=env.flag("ONEAPI_ALLOW_PRIVATE_UPSTREAMS", default=False),
            call_limit_s=env.number("ONEAPI_MCP_CALL_SECONDS", DEFAULT_CALL_S, low=1),
            log_level=env.log_level("ONEAPI_LOG_LEVEL"),
            trace_sample=env.number("ONEAPI_TRACE_SAMPLE", 0.05, low=0, high=1),
            otlp_endpoint=env.optional("OTEL_EXPORTER_OTLP_ENDPOINT"),
        )
