"""The published types of configuration: what admin writes to the bus and everyone else reads.

These are the wire format of the KV buckets `catalog` and `keys` (JSON, inside `CatalogChanged`). A field may be added
with a default; none is renamed or given another meaning. Secrets appear sealed only (`oneapi.runtime.sealing`).
Money is in integers: rates in pico-USD per token or unit, amounts in nano-USD.
This module must not know where configuration is stored or who reads it.
"""

import msgspec

MAX_AMOUNT_NANO = 9_000_000_000_000_000
"""Largest amount of one counter: Redis scripts compare doubles, exact below 2**53."""

TOKEN_BUCKETS = (
    "input",
    "cached_input",
    "cache_write_5m",
    "cache_write_1h",
    "audio_input",
    "image_input",
    "output",
    "reasoning",
    "audio_output",
    "image_output",
)
UNITS = ("per_call", "image", "second", "character", "page", "search", "tool_call")

OPERATOR_ACCOUNT_ID = "acc_operator"
SANDBOX_CHANNEL_ID = "ch_sandbox"
SANDBOX_MODEL = "sandbox"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays. `unlimited` means no balance check; it is billed all the same."""

    id: str
    name: str
    unlimited: bool = False
    group: str = "default"
    enabled: bool = True


class ChannelLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on one channel. Seconds for time-outs; None takes the gateway's default."""

    concurrency: int | None = None
    max_output_tokens: int | None = None
    connect_timeout_s: float | None = None
    first_byte_timeout_s: float | None = None
    idle_timeout_s: float | None = None
    total_timeout_s: float | None = None


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream with one credential. `models` are ids that clients use; `model_mapping` names them upstream.

    Public documents call it `public_name` where it has one, and leave `hidden_models` out; `*` there hides all.
    """

    id: str
    name: str
    provider: str
    models: tuple[str, ...]
    base_url: str = ""
    api_key_sealed: str = ""
    dialects: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    model_mapping: dict[str, str] = {}
    groups: tuple[str, ...] = ("default",)
    priority: int = 0
    weight: int = 1
    headers_sealed: dict[str, str] = {}
    limits: ChannelLimits = ChannelLimits()
    enabled: bool = True
    config: dict[str, str] = {}
    public_name: str = ""
    hidden_models: tuple[str, ...] = ()

    def serves(self, group: str) -> bool:
        """Whether accounts of this group may use it; the group `*` means all."""
        return group in self.groups or "*" in self.groups


class PriceTier(msgspec.Struct, frozen=True, kw_only=True):
    """Rates for a whole request whose input (all input buckets together) is above the bound."""

    above_input_tokens: int
    rates: dict[str, int]


class PriceWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Rates that hold at certain hours. `days` are 0 (Monday) to 6; `start` and `end` are minutes of the day there.

    An `end` at or before `start` is on the next day.
    """

    timezone: str
    days: tuple[int, ...]
    start: int
    end: int
    rates: dict[str, int]


class PriceVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable price. `rates` are pico-USD per token bucket or unit."""

    id: str
    effective_from_ms: int
    rates: dict[str, int]
    tiers: tuple[PriceTier, ...] = ()
    windows: tuple[PriceWindow, ...] = ()


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """Versions of a model's price, oldest first: in force, to come, or ended within the hour before it was published.

    `channel_id` narrows it to one channel.
    """

    model: str
    channel_id: str = ""
    versions: tuple[PriceVersion, ...]


class McpServer(msgspec.Struct, frozen=True, kw_only=True):
    """A Streamable HTTP server whose tools the gateway offers. `prices` are pico-USD per call of a tool."""

    id: str
    name: str
    url: str
    auth_sealed: str = ""
    headers_sealed: dict[str, str] = {}
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    priority: int = 0
    prices: dict[str, int] = {}
    enabled: bool = True


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """A hard limit of a key: `amount_nano` in each window (total, day, week, month) of the time zone."""

    amount_nano: int
    window: str = "total"
    timezone: str = "UTC"


class KeyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Requests and tokens per minute, and requests at a time. None means unlimited."""

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None


class RelayKey(msgspec.Struct, frozen=True, kw_only=True):
    """A client's key, filed in the `keys` bucket under its hash. None for a list means everything."""

    id: str
    name: str
    account_id: str
    user_id: str = ""
    models: tuple[str, ...] | None = None
    tools: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    budgets: tuple[Budget, ...] = ()
    limits: KeyLimits = KeyLimits()
    expires_at_ms: int | None = None
    allowed_ips: tuple[str, ...] = ()
    disconnect: str = "cancel"
    strict: bool = False
    enabled: bool = True


KINDS: dict[str, type[msgspec.Struct]] = {
    "account": Account,
    "channel": Channel,
    "price": Price,
    "mcp_server": McpServer,
    "key": RelayKey,
}
"""`CatalogChanged.kind` to the type of its payload."""
