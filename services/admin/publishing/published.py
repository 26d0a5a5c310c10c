"""Rows of SQL in their published form, `oneapi.catalog.types`.

Decides what readers of the catalog see: defaults of the provider filled in, secrets sealed, of a price what is or will
be in force, and what was until a while ago. This module must not know when or how something is published.
"""

from collections.abc import Sequence

import msgspec

from oneapi.catalog import types
from services.admin.store import schema
from services.admin.upstreams import providers

OUTDATED_MS = 3_600_000
"""How long a price that has ended is still published. Requests are priced by the clock of Redis, and where that is
behind ours the old price is the one in force there; without it they would cost nothing."""


def account(row: schema.Account) -> types.Account:
    return types.Account(id=row.id, name=row.name, unlimited=row.unlimited, group=row.group, enabled=row.enabled)


def channel(row: schema.Channel) -> types.Channel:
    """With the provider's base URL, dialects and endpoints where the row has none."""
    defaults = providers.defaults(row.provider)
    return types.Channel(
        id=row.id,
        name=row.name,
        provider=row.provider,
        models=tuple(row.models),
        base_url=row.base_url or defaults.base_url,
        api_key_sealed=row.api_key_sealed,
        dialects=tuple(row.dialects) or defaults.dialects,
        endpoints=tuple(row.endpoints) or defaults.endpoints,
        model_mapping=row.model_mapping,
        groups=tuple(row.groups),
        priority=row.priority,
        weight=row.weight,
        headers_sealed=row.headers_sealed,
        limits=msgspec.convert(row.limits, types.ChannelLimits),
        enabled=row.enabled,
        config=row.config,
        public_name=row.public_name,
        hidden_models=tuple(row.hidden_models),
    )


def in_force(versions: Sequence[schema.PriceVersion], now_ms: int) -> list[schema.PriceVersion]:
    """The version that counts now and those to come, oldest first.

    Of versions from the same instant the one with the highest revision counts.
    """
    ordered = sorted(versions, key=lambda version: (version.effective_from_ms, version.revision))
    by_instant = {version.effective_from_ms: version for version in ordered}
    past = [at for at in by_instant if at <= now_ms]
    return [version for at, version in by_instant.items() if at > now_ms or at == past[-1]]


def price(model: str, channel_id: str, versions: Sequence[schema.PriceVersion], now_ms: int) -> types.Price:
    return types.Price(
        model=model,
        channel_id=channel_id,
        versions=tuple(_version(version) for version in in_force(versions, now_ms - OUTDATED_MS)),
    )


def _version(row: schema.PriceVersion) -> types.PriceVersion:
    return types.PriceVersion(
        id=row.id,
        effective_from_ms=row.effective_from_ms,
        rates=row.rates,
        tiers=tuple(msgspec.convert(tier, types.PriceTier) for tier in row.tiers),
        windows=tuple(msgspec.convert(window, types.PriceWindow) for window in row.windows),
    )


def mcp_server(row: schema.McpServer) -> types.McpServer:
    return types.McpServer(
        id=row.id,
        name=row.name,
        url=row.url,
        auth_sealed=row.auth_sealed,
        headers_sealed=row.headers_sealed,
        allow=tuple(row.allow),
        deny=tuple(row.deny),
        priority=row.priority,
        prices=row.prices,
        enabled=row.enabled,
    )


def key_entries(row: schema.Key) -> list[tuple[str, types.RelayKey]]:
    """What is filed for a key: its record under its hash, and under that of the secret before until that one ends."""
    record = key(row)
    entries = [(row.hash, record)]
    if row.previous_hash is not None and row.previous_ends_at_ms is not None:
        ends = [at for at in (record.expires_at_ms, row.previous_ends_at_ms) if at is not None]
        entries.append((row.previous_hash, msgspec.structs.replace(record, expires_at_ms=min(ends))))
    return entries


def key(row: schema.Key) -> types.RelayKey:
    return types.RelayKey(
        id=row.id,
        name=row.name,
        account_id=row.account_id,
        user_id=row.user_id or "",
        models=_listed(row.models),
        tools=_listed(row.tools),
        channels=_listed(row.channels),
        budgets=tuple(msgspec.convert(budget, types.Budget) for budget in row.budgets),
        limits=msgspec.convert(row.limits, types.KeyLimits),
        expires_at_ms=row.expires_at_ms,
        allowed_ips=tuple(row.allowed_ips),
        disconnect=row.disconnect,
        strict=row.strict,
        enabled=row.enabled,
    )


def _listed(items: list[str] | None) -> tuple[str, ...] | None:
    return None if items is None else tuple(items)
