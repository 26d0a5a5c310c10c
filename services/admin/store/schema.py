"""The tables. Only admin reads or writes them; everyone else sees what the outbox publishes.

Times are Unix milliseconds, money is integers (nano-USD amounts, pico-USD rates), lists and maps are JSON.
`revision` is the catalog revision under which a row was last published.
This module must not know HTTP, who may see a row, or how a row is published.
"""

from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Table(DeclarativeBase):
    """Common ground of the tables: how Python types become columns."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        str: String,
        bytes: LargeBinary,
        dict[str, Any]: JSON(none_as_null=True),
        dict[str, str]: JSON(none_as_null=True),
        dict[str, int]: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
        list[dict[str, Any]]: JSON(none_as_null=True),
    }


class Dated:
    """When a row was made and last changed."""

    created_at_ms: Mapped[int]
    updated_at_ms: Mapped[int]


class Rotatable:
    """A secret, as its hash, and the one before it while both count. `hash_version` says with which pepper it was made.

    It is empty where that was not recorded yet.
    """

    hash: Mapped[str] = mapped_column(unique=True)
    hash_version: Mapped[str]
    hint: Mapped[str]
    previous_hash: Mapped[str | None] = mapped_column(unique=True, index=True)
    previous_hash_version: Mapped[str | None]
    previous_hint: Mapped[str | None]
    previous_ends_at_ms: Mapped[int | None] = mapped_column(index=True)


class Account(Table, Dated):
    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    unlimited: Mapped[bool]
    group: Mapped[str]
    enabled: Mapped[bool]
    revision: Mapped[int]


class Credit(Table):
    """Money given to an account, or taken back. Rows outlive their account: they are the record of money."""

    __tablename__ = "credits"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(index=True)
    amount_nano: Mapped[int]
    reason: Mapped[str]
    granted_by: Mapped[str]
    created_at_ms: Mapped[int]


class User(Table, Dated):
    """A person of an account. `email` is stored in lower case; without a password there is no login."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str | None]


class Key(Table, Rotatable, Dated):
    """A relay key: its hash, never the key."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    models: Mapped[list[str] | None]
    tools: Mapped[list[str] | None]
    channels: Mapped[list[str] | None]
    budgets: Mapped[list[dict[str, Any]]]
    limits: Mapped[dict[str, Any]]
    expires_at_ms: Mapped[int | None]
    allowed_ips: Mapped[list[str]]
    disconnect: Mapped[str]
    strict: Mapped[bool]
    enabled: Mapped[bool]
    revision: Mapped[int]


class Token(Table, Rotatable, Dated):
    """A management token: its hash, never the token."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str]
    role: Mapped[str]
    expires_at_ms: Mapped[int | None]
    created_by: Mapped[str]


class Session(Table):
    """A console session: the hash of its cookie, and the credential that it lives and dies with."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(unique=True)
    hash_version: Mapped[str]
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    token_id: Mapped[str | None] = mapped_column(ForeignKey("tokens.id"), index=True)
    first_administrator: Mapped[str | None]
    created_at_ms: Mapped[int]
    expires_at_ms: Mapped[int]


class Channel(Table, Dated):
    """An upstream with its credential. What is empty here takes the provider's default when it is published."""

    __tablename__ = "channels"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    provider: Mapped[str]
    models: Mapped[list[str]]
    base_url: Mapped[str]
    api_key_sealed: Mapped[str]
    api_key_last4: Mapped[str]
    dialects: Mapped[list[str]]
    endpoints: Mapped[list[str]]
    model_mapping: Mapped[dict[str, str]]
    groups: Mapped[list[str]]
    priority: Mapped[int]
    weight: Mapped[int]
    headers_sealed: Mapped[dict[str, str]]
    limits: Mapped[dict[str, Any]]
    enabled: Mapped[bool]
    config: Mapped[dict[str, str]]
    public_name: Mapped[str]
    hidden_models: Mapped[list[str]]
    revision: Mapped[int]


class Price(Table, Dated):
    """That a model has a price, its own or on one channel (`channel_id`, empty for every channel)."""

    __tablename__ = "prices"

    model: Mapped[str] = mapped_column(primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int]


class PriceVersion(Table):
    """One version of a price, never changed. Among versions from the same instant the highest revision counts."""

    __tablename__ = "price_versions"
    __table_args__ = (Index("ix_price_versions_model", "model", "channel_id", "effective_from_ms"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str]
    channel_id: Mapped[str]
    effective_from_ms: Mapped[int]
    rates: Mapped[dict[str, int]]
    tiers: Mapped[list[dict[str, Any]]]
    windows: Mapped[list[dict[str, Any]]]
    created_by: Mapped[str]
    created_at_ms: Mapped[int]
    revision: Mapped[int]


class McpServer(Table, Dated):
    __tablename__ = "mcp_servers"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    url: Mapped[str]
    auth_sealed: Mapped[str]
    auth_last4: Mapped[str]
    headers_sealed: Mapped[dict[str, str]]
    allow: Mapped[list[str]]
    deny: Mapped[list[str]]
    priority: Mapped[int]
    prices: Mapped[dict[str, int]]
    enabled: Mapped[bool]
    revision: Mapped[int]


class Audit(Table):
    """One change, as its author made it. Secrets are in neither `before` nor `after`."""

    __tablename__ = "audit"
    id: Mapped[str] = mapped_column(primary_key=True)
    created_at_ms: Mapped[int]
    actor_id: Mapped[str]
    actor_kind: Mapped[str]
    actor_name: Mapped[str]
    action: Mapped[str]
    resource: Mapped[str]
    resource_id: Mapped[str] = mapped_column(index=True)
    account_id: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    request_id: Mapped[str]
    trace_id: Mapped[str]


class Outbox(Table):
    """What must reach the bus, in the order of `revision`. `target` is a KV bucket or the ledger's subject."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_published", "published_at_ms", "revision"),)

    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    target: Mapped[str]
    name: Mapped[str]
    payload: Mapped[bytes]
    traceparent: Mapped[str]
    created_at_ms: Mapped[int]
    published_at_ms: Mapped[int | None]


class Replay(Table):
    """The answer to a POST that carried an Idempotency-Key, sealed, because it may show a secret once.

    The seal holds what the request was, too.
    """

    __tablename__ = "replays"

    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[int]
    body_sealed: Mapped[str]
    created_at_ms: Mapped[int] = mapped_column(index=True)


class Counter(Table):
    """Numbers that only grow. `revision` is the catalog's; its row is the lock that puts changes in order."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]
