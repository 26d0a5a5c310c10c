"""The parts that a request may need, made once by the service. It decides nothing, and knows no route."""

from collections.abc import Callable
from dataclasses import dataclass, field

from oneapi.runtime.door.failures import FailureLimiter
from oneapi.runtime.egress.dial import Dialer
from oneapi.runtime.health import Readiness
from oneapi.runtime.relay_keys import KeyHasher
from oneapi.runtime.sealing import Sealer
from services.admin.identity.authentication import Authenticator
from services.admin.identity.passwords import Passwords
from services.admin.identity.throttle import Throttle
from services.admin.public.bounds import Bounds
from services.admin.public.reading import PublicReader
from services.admin.publishing.bus import Bus
from services.admin.reports.clients import Reports
from services.admin.settings import Settings
from services.admin.store.database import Database


@dataclass(slots=True)
class Parts:
    """`running_keys` are the Idempotency-Keys whose requests run in this process, with their callers."""

    settings: Settings
    database: Database
    sealer: Sealer
    hasher: KeyHasher
    authenticator: Authenticator
    reports: Reports
    readiness: Readiness
    bus: Bus
    dialer: Dialer
    public: PublicReader
    passwords: Passwords = field(default_factory=Passwords)
    throttle: Throttle = field(default_factory=Throttle)
    failures: FailureLimiter = field(default_factory=FailureLimiter)
    bounds: Bounds = field(default_factory=Bounds)
    running_keys: set[tuple[str, str]] = field(default_factory=set)

    @property
    def wake_publisher(self) -> Callable[[], None]:
        """Tells the publisher that the outbox has something new."""
        return self.bus.wake
