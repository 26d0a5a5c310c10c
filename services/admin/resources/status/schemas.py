"""The shapes of the status of the gateway's parts."""

from typing import Literal

from services.admin.web.fields import InstantText, Shown

Health = Literal["ok", "down"]


class DatabaseStatus(Shown):
    status: Health
    kind: Literal["sqlite", "postgresql"]


class OutboxStatus(Shown):
    """Changes on their way to the bus. `publisher` says whether this replica sends them."""

    waiting: int
    oldest_at: InstantText | None
    publisher: bool


class NatsStatus(Shown):
    status: Health


class BillingStatus(Shown):
    status: Health
    writer: bool | None = None
    stream_pending: int | None = None
    dead_letters: int | None = None
    last_insert_at: InstantText | None = None
    ledger_rows: int | None = None


class RouterStatus(Shown):
    status: Health
    catalog_revision: int | None = None


class SecretKeyStatus(Shown):
    """What depends on an ONEAPI_SECRET_KEY_PREVIOUS that is configured: 0 in `depending` means it can be removed.

    Keys, tokens and sessions change over when they are used; the others by themselves.
    """

    previous: int
    depending: int
    keys: int
    tokens: int
    sessions: int
    channels: int
    mcp_servers: int
    replays: int


class StatusShown(Shown):
    """`status` is ok when every part is."""

    status: Literal["ok", "degraded"]
    at: InstantText
    database: DatabaseStatus
    nats: NatsStatus
    outbox: OutboxStatus | None
    secret_key: SecretKeyStatus | None
    billing: BillingStatus
    router: RouterStatus
