"""The settings of admin: every environment variable that it reads, by name."""

from dataclasses import dataclass
from pathlib import Path

from oneapi.runtime import rpc
from oneapi.runtime.client_address import Network, trusted_proxies
from oneapi.runtime.environment import Environment, SettingError
from oneapi.runtime.origins import origins_of
from services.admin.identity.authentication import MAX_CREDENTIAL
from services.admin.store.database import database_url

DEFAULT_PORT = 3104
DEFAULT_PUBLIC_PORT = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator decides. Secrets are in it; never log it."""

    host: str
    port: int
    data_dir: Path
    database_url: str
    nats_url: str
    nats_replicas: int
    secret_key: str
    admin_token: str
    public_url: str
    router_addresses: tuple[str, ...]
    billing_addresses: tuple[str, ...]
    trusted_proxies: tuple[Network, ...]
    allow_private_upstreams: bool
    metrics_port: int | None
    trace_sample: float
    otlp_endpoint: str | None
    log_level: str
    previous_secret_keys: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()

    @classmethod
    def read(cls, env: Environment) -> "Settings":
        """The settings of this process. Raises SettingError."""
        host = env.text("ONEAPI_HOST", "127.0.0.1")
        public_port = env.integer("ONEAPI_PORT", DEFAULT_PUBLIC_PORT, low=1, high=65_535)
        data_dir = Path(env.text("ONEAPI_DATA_DIR", ".data"))
        try:
            url = database_url(env.optional("DATABASE_URL"), data_dir)
        except ValueError as error:
            raise SettingError("DATABASE_URL", str(error)) from None
        admin_token = env.text("ONEAPI_ADMIN_TOKEN")
        if len(admin_token) > MAX_CREDENTIAL or not admin_token.isascii() or " " in admin_token:
            raise SettingError(
                "ONEAPI_ADMIN_TOKEN", f"must be at most {MAX_CREDENTIAL} ASCII characters without spaces"
            )
        return cls(
            host=host,
            port=env.integer("ONEAPI_ADMIN_PORT", DEFAULT_PORT, low=1, high=65_535),
            data_dir=data_dir,
            database_url=url,
            nats_url=env.text("NATS_URL", "nats://127.0.0.1:4222"),
            nats_replicas=env.integer("ONEAPI_NATS_REPLICAS", 1, low=1, high=5),
            secret_key=env.text("ONEAPI_SECRET_KEY"),
            previous_secret_keys=env.texts("ONEAPI_SECRET_KEY_PREVIOUS", 2),
            admin_token=admin_token,
            allowed_origins=origins_of(env),
            public_url=env.text("ONEAPI_PUBLIC_URL", f"http://{host}:{public_port}").rstrip("/"),
            router_addresses=_targets(env, "ONEAPI_ROUTER_ADDR", "127.0.0.1:3101"),
            billing_addresses=_targets(env, "ONEAPI_BILLING_ADDR", "127.0.0.1:3102"),
            trusted_proxies=trusted_proxies(env),
            allow_private_upstreams=env.flag("ONEAPI_ALLOW_PRIVATE_UPSTREAMS", False),
            metrics_port=env.port("ONEAPI_METRICS_PORT"),
            trace_sample=env.number("ONEAPI_TRACE_SAMPLE", 0.05, low=0, high=1),
            otlp_endpoint=env.optional("OTEL_EXPORTER_OTLP_ENDPOINT"),
            log_level=env.log_level("ONEAPI_LOG_LEVEL"),
        )


def _targets(env: Environment, name: str, default: str) -> tuple[str, ...]:
    addresses = env.addresses(name, default)
    try:
        rpc.target(addresses)
    except ValueError as error:
        raise SettingError(name, f"can't be used: {error}") from None
    return addresses
