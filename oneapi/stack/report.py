"""What a person reads at the start: a table of what is in use, and how to begin. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Used:
    """One line of the table: what it is, its version, in plain words where it came from, and its address."""

    name: str
    version: str
    source: str
    address: str


def table(rows: Sequence[Used]) -> str:
    """The lines under a heading, in columns as wide as they need to be."""
    lines = [("PART", "VERSION", "FROM", "ADDRESS"), *((r.name, r.version, r.source, r.address) for r in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def address(url: str) -> str:
    """Where a URL points, without the login: host and port, or the file."""
    parts = urlsplit(url)
    if not parts.hostname:
        return parts.path.removeprefix("/") if parts.scheme.startswith("sqlite") else url
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port}" if parts.port else host


def welcome(url: str, admin_token: str, relay_key: str, curl: str) -> str:
    """How to begin."""
    return "\n".join(
        [
            f"One API runs at {url} (Ctrl-C ends it).",
            f"  Admin token: {admin_token}",
            f"  Relay key:   {relay_key}",
            "  Try it:",
            f"  {curl}",
        ]
    )
