"""An immutable view of the configuration, from which a request is decided.

It decides which entry wins (the newer revision) and what a model's channels and prices are. It must not know how
entries arrive.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from oneapi.catalog.entries import Entry
from oneapi.catalog.types import Account, Channel, McpServer, Price


def _empty() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class CatalogView:
    """The catalog at one revision. Every `apply` makes another; who holds one keeps it unchanged."""

    revision: int = 0
    accounts: Mapping[str, Account] = field(default_factory=_empty)
    channels: Mapping[str, Channel] = field(default_factory=_empty)
    mcp_servers: Mapping[str, McpServer] = field(default_factory=_empty)
    prices: Mapping[tuple[str, str], Price] = field(default_factory=_empty)
    """By model and channel id, "" for the model's own."""
    revisions: Mapping[tuple[str, str], int] = field(default_factory=_empty)
    """By kind and id, of deleted ones too, so that an old entry can't bring one back."""

    def price(self, model: str, channel_id: str) -> Price | None:
        """The channel's own price of the model, else the model's."""
        return self.prices.get((model, channel_id)) or self.prices.get((model, ""))

    def channels_for(self, model: str) -> tuple[Channel, ...]:
        """The enabled channels that serve the model, by priority (higher first), then id."""
        return self._channels_by_model.get(model, ())

    def models(self) -> tuple[str, ...]:
        """Every model that an enabled channel serves, sorted."""
        return self._models

    def apply(self, entry: Entry) -> "CatalogView":
        """The view after this entry; itself when the entry is not newer than what it knows."""
        return self.apply_all((entry,))

    def apply_all(self, entries: Iterable[Entry]) -> "CatalogView":
        """The view after these entries, made in one step. Relay keys are not part of it."""
        tables = {kind: _Draft(table) for kind, table in self._tables().items()}
        revisions = _Draft(self.revisions)
        highest = self.revision
        for entry in entries:
            table = tables.get(entry.kind)
            if table is None or revisions.get((entry.kind, entry.id), 0) >= entry.revision:
                continue
            revisions.set((entry.kind, entry.id), entry.revision)
            highest = max(highest, entry.revision)
            table.set(_table_key(entry), None if entry.deleted else entry.value)
        if not revisions.changed:
            return self
        return replace(
            self,
            revision=highest,
            revisions=revisions.frozen(),
            accounts=tables["account"].frozen(),
            channels=tables["channel"].frozen(),
            mcp_servers=tables["mcp_server"].frozen(),
            prices=tables["price"].frozen(),
        )

    def _tables(self) -> dict[str, Mapping[Any, Any]]:
        return {
            "account": self.accounts,
            "channel": self.channels,
            "mcp_server": self.mcp_servers,
            "price": self.prices,
        }

    @cached_property
    def _channels_by_model(self) -> dict[str, tuple[Channel, ...]]:
        found: dict[str, list[Channel]] = {}
        for channel in sorted(self.channels.values(), key=lambda channel: (-channel.priority, channel.id)):
            if channel.enabled:
                for model in dict.fromkeys(channel.models):
                    found.setdefault(model, []).append(channel)
        return {model: tuple(channels) for model, channels in found.items()}

    @cached_property
    def _models(self) -> tuple[str, ...]:
        return tuple(sorted(self._channels_by_model))


def _table_key(entry: Entry) -> Any:
    if entry.kind != "price":
        return entry.id
    model, _, channel_id = entry.id.partition("\n")
    return model, channel_id


class _Draft:
    """A mapping that is copied at its first change."""

    def __init__(self, source: Mapping[Any, Any]) -> None:
        self._source = source
        self._copy: dict[Any, Any] | None = None

    @property
    def changed(self) -> bool:
        return self._copy is not None

    def get(self, key: Any, default: Any) -> Any:
        return (self._source if self._copy is None else self._copy).get(key, default)

    def set(self, key: Any, value: Any) -> None:
        if self._copy is None:
            self._copy = dict(self._source)
        if value is None:
            self._copy.pop(key, None)
        else:
            self._copy[key] = value

    def frozen(self) -> Mapping[Any, Any]:
        return self._source if self._copy is None else MappingProxyType(self._copy)
