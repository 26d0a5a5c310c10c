"""Reads settings from the environment, and decides how a wrong one is reported.

It must not know any setting's name: those are literals in each service's `settings.py`.
"""

import logging
from collections.abc import Mapping, MutableMapping
from typing import overload

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
HIGHEST_PORT = 65_535
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "grpc_proxy"})


class SettingError(Exception):
    """A setting that is missing or can't be used. `str()` is one clear sentence without the value."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"The setting {name} {why}.")
        self.name = name
        self.why = why


def forget_proxies(values: MutableMapping[str, str]) -> None:
    """Takes out the variables that name a proxy: libraries would send requests for stores and telemetry there.

    Upstreams are never called through one: it would choose the address that is connected to.
    """
    for name in [name for name in values if name.lower() in _PROXIES]:
        del values[name]


class Environment:
    """A typed view of environment variables. An empty value counts as unset, and spaces around one don't matter."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def optional(self, name: str) -> str | None:
        """The text, or None when unset."""
        return self._values.get(name, "").strip() or None

    def text(self, name: str, default: str | None = None) -> str:
        """The text; without a default the setting is required. Raises SettingError."""
        value = self.optional(name)
        if value is not None:
            return value
        if default is None:
            raise SettingError(name, "is required and is not set")
        return default

    def integer(self, name: str, default: int | None = None, low: int | None = None, high: int | None = None) -> int:
        """A whole number between `low` and `high`, both included. Raises SettingError."""
        value = self.optional(name)
        if value is None:
            if default is None:
                raise SettingError(name, "is required and is not set")
            return default
        try:
            number = int(value)
        except ValueError:
            raise SettingError(name, "must be a whole number") from None
        _check_range(name, number, low, high)
        return number

    def number(
        self, name: str, default: float | None = None, low: float | None = None, high: float | None = None
    ) -> float:
        """A finite number between `low` and `high`, both included. Raises SettingError."""
        value = self.optional(name)
        if value is None:
            if default is None:
                raise SettingError(name, "is required and is not set")
            return default
        try:
            number = float(value)
        except ValueError:
            raise SettingError(name, "must be a number") from None
        if not abs(number) < float("inf"):
            raise SettingError(name, "must be a finite number")
        _check_range(name, number, low, high)
        return number

    @overload
    def port(self, name: str) -> int | None: ...

    @overload
    def port(self, name: str, default: int) -> int: ...

    def port(self, name: str, default: int | None = None) -> int | None:
        """A TCP port from 1 to 65535, or `default` (None means off). Raises SettingError."""
        return default if self.optional(name) is None else self.integer(name, low=1, high=HIGHEST_PORT)

    def flag(self, name: str, default: bool = False) -> bool:
        """True for 1, true, yes or on; False for 0, false, no or off. Raises SettingError for anything else."""
        value = self.optional(name)
        if value is None:
            return default
        if value.lower() in TRUE_WORDS:
            return True
        if value.lower() in FALSE_WORDS:
            return False
        raise SettingError(name, "must be 1 or 0")

    def texts(self, name: str, most: int) -> tuple[str, ...]:
        """A comma-separated list of at most `most` texts; empty when unset. Raises SettingError."""
        found = tuple(part.strip() for part in (self.optional(name) or "").split(",") if part.strip())
        if len(found) > most:
            raise SettingError(name, f"must hold at most {most}, separated by commas")
        return found

    def log_level(self, name: str) -> str:
        """A level that `logging` knows, in any case; `info` when unset. Raises SettingError."""
        level = self.text(name, "info")
        if level.upper() not in logging.getLevelNamesMapping():
            raise SettingError(name, "must be debug, info, warning, error or critical")
        return level

    def addresses(self, name: str, default: str | None = None) -> tuple[str, ...]:
        """A comma-separated list of `host:port`, at least one. Raises SettingError."""
        found = tuple(part.strip() for part in self.text(name, default).split(",") if part.strip())
        for address in found:
            host, colon, port = address.rpartition(":")
            if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) <= HIGHEST_PORT):
                raise SettingError(name, "must be host:port, or several of them separated by commas")
        if not found:
            raise SettingError(name, "must name at least one host:port")
        return found


def _check_range(name: str, number: float, low: float | None, high: float | None) -> None:
    if (low is not None and number < low) or (high is not None and number > high):
        if high is None:
            raise SettingError(name, f"must be at least {low}")
        if low is None:
            raise SettingError(name, f"must be at most {high}")
        raise SettingError(name, f"must be between {low} and {high}")
