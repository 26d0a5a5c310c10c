"""Applies a document: each entry found by its name, made when it isn't there, changed when it differs.

Decides which request an entry becomes and what is told of it. What is not in the file is left alone. The API itself
says what would change (dry runs); secrets are never told. It must not know YAML or how a request is sent.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from oneapi.catalog.types import OPERATOR_ACCOUNT_ID
from services.admin.apply.client import Client, Refused
from services.admin.apply.document import Document

SECRET_FIELDS = frozenset({"api_key", "auth", "headers"})
PATHS = {
    "accounts": "/api/accounts",
    "channels": "/api/channels",
    "mcp_servers": "/api/mcp-servers",
    "keys": "/api/keys",
}
Tell = Callable[[str], None]


class Failed(Exception):
    """An entry can't be applied. The text names it."""


class Applier:
    """`tell` gets a line for each difference; `reveal` a new key's line, this once."""

    def __init__(self, client: Client, *, dry: bool, tell: Tell, reveal: Tell) -> None:
        self._client = client
        self._dry = dry
        self._tell = tell
        self._reveal = reveal
        self._made: dict[tuple[str, str], str | None] = {}
        self.differences = 0
        self.unchanged = 0

    async def apply(self, document: Document) -> None:
        """Every section in order; stops at the first entry that fails. Raises Failed."""
        for section, entries in document.sections.items():
            for entry in entries:
                name = str(entry.get("model") if section == "prices" else entry.get("name"))
                try:
                    if section == "prices":
                        await self._price(entry)
                    elif section == "keys":
                        await self._key(entry)
                    else:
                        await self._named(section, entry)
                except Refused as refused:
                    raise Failed(f"{_label(section)} {name}: {refused}") from refused

    async def _named(self, section: str, entry: dict[str, Any]) -> None:
        identity = await self._id(section, entry["name"])
        if identity is not None:
            await self._change(section, identity, entry["name"], {k: v for k, v in entry.items() if k != "name"})
            return
        answer = await self._client.call("POST", PATHS[section], entry, dry=self._dry)
        self._added(section, entry["name"])
        self._made[section, entry["name"]] = None if self._dry else answer.body["id"]

    async def _price(self, entry: dict[str, Any]) -> None:
        body = {name: value for name, value in entry.items() if name != "model"}
        label = entry["model"]
        if body.get("channel") is not None:
            label = f"{entry['model']} on {body['channel']}"
            body["channel"] = await self._required("channels", body["channel"])
            if body["channel"] is None:
                self._added("prices", label)  # its channel doesn't exist before the real run
                return
        path = f"/api/prices/{quote(entry['model'], safe='/')}"
        answer = await self._client.call("PUT", path, body, dry=self._dry)
        if answer.status == 201:
            self._added("prices", label)
        elif answer.changed:
            self.differences += 1
            self._tell(f"~ price {label}: a new version")
        else:
            self.unchanged += 1

    async def _key(self, entry: dict[str, Any]) -> None:
        body = dict(entry)
        account = body.pop("account", None)
        params = {"name": str(entry["name"]), "account_id": str(body.get("account_id") or OPERATOR_ACCOUNT_ID)}
        if account is not None:
            account_id = await self._required("accounts", account)
            if account_id is None:
                self._added("keys", entry["name"])  # its account doesn't exist before the real run
                return
            params["account_id"] = body["account_id"] = account_id
        if isinstance(body.get("channels"), list):
            body["channels"] = [await self._required("channels", channel) for channel in body["channels"]]
            if None in body["channels"]:
                body["channels"] = None  # a dry run can't name what it doesn't make
        found = await self._client.all(PATHS["keys"], params)
        if len(found) > 1:
            raise Refused("there are several of this name; the file can't say which one is meant")
        if found:
            given = {name: value for name, value in body.items() if name not in {"name", "account_id"}}
            await self._change("keys", found[0]["id"], entry["name"], given)
            return
        answer = await self._client.call("POST", PATHS["keys"], body, dry=self._dry)
        self._added("keys", entry["name"])
        if not self._dry:
            self._reveal(f"{entry['name']}: {answer.body['key']}")

    async def _change(self, section: str, identity: str, name: str, given: dict[str, Any]) -> None:
        path = f"{PATHS[section]}/{identity}"
        before = (await self._client.call("GET", path)).body
        answer = await self._client.call("PATCH", path, given, dry=self._dry)
        if not answer.changed:
            self.unchanged += 1
            return
        self.differences += 1
        told = ", ".join(_told(field, before, answer.body) for field in answer.changed)
        self._tell(f"~ {_label(section)} {name}: {told}")

    def _added(self, section: str, name: str) -> None:
        self.differences += 1
        self._tell(f"+ {_label(section)} {name}")

    async def _required(self, section: str, name: str) -> str | None:
        """The id of what another entry names, by its name or id; None when only the real run makes it."""
        if (section, name) in self._made:
            return self._made[section, name]
        identity = await self._id(section, name)
        if identity is None:
            raise Refused(f"there is no {_label(section)} named {name}")
        return identity

    async def _id(self, section: str, name: str) -> str | None:
        rows = await self._client.all(PATHS[section], {"name": name})
        if len(rows) > 1:
            raise Refused("there are several of this name; the file can't say which one is meant")
        if not rows and section in {"accounts", "channels"} and name.startswith(("acc_", "ch_")):
            rows = [(await self._client.call("GET", f"{PATHS[section]}/{quote(name, safe='')}")).body]
        return str(rows[0]["id"]) if rows else None


def _label(section: str) -> str:
    return {"mcp_servers": "mcp-server"}.get(section, section.removesuffix("s"))


def _told(field: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    if field in SECRET_FIELDS or field not in after:
        return f"{field} (a secret)"
    return f"{field} {_short(before[field])} -> {_short(after[field])}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."
