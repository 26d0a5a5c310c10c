"""What a newcomer finds ready: a relay key that works, and a channel for each provider key in the environment.

It decides what is made through the management API, once. It must not know how admin keeps it.
"""

import hashlib
import http.client
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import redis

from oneapi.runtime.redis_functions import balance_key
from oneapi.stack.data_directory import DataDirectory
from oneapi.stack.generated import remember, remembered
from oneapi.stack.management_api import ManagementApi
from oneapi.stack.problem import StackProblem

KEY_NAME = "make run"
RELAY_KEY = "relay_key"
CHANNEL_KEYS = "channel_key_fingerprints"
USABLE_LIMIT_S = 30.0
ASK_LIMIT_S = 1.0
# What a new channel offers at first; the operator edits the channel for more.
DEFAULT_MODELS: dict[str, tuple[str, ...]] = {
    "openai": (
        "gpt-5",
        "gpt-5-mini",
        "gpt-5-nano",
        "gpt-4.1",
        "gpt-4.1-mini",
        "gpt-4o",
        "gpt-4o-mini",
        "text-embedding-3-small",
        "text-embedding-3-large",
    ),
    "anthropic": ("claude-opus-4-1", "claude-sonnet-4-5", "claude-haiku-4-5"),
    "gemini": ("gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite"),
}


@dataclass(frozen=True)
class FirstKey:
    """The relay key that is shown at the start, and the account that pays for it."""

    key: str
    account_id: str


def relay_key(api: ManagementApi, directory: DataDirectory) -> FirstKey:
    """The key of the operator's account that the first start made; made anew if it has been deleted since."""
    kept = remembered(directory, RELAY_KEY)
    if kept and kept.get("key"):
        status, _ = api.call("GET", f"/api/keys/{kept['id']}")
        if status != 404:
            return FirstKey(kept["key"], kept["account_id"])
        kept = None
    if not kept:
        # Written before the call: a start that dies in between asks again under the same name.
        kept = {"idempotency_key": f"make-run-{uuid.uuid4()}"}
        remember(directory, RELAY_KEY, kept)
    made = api.must("POST", "/api/keys", {"name": KEY_NAME}, idempotency_key=kept["idempotency_key"])
    remember(directory, RELAY_KEY, {name: made[name] for name in ("id", "key", "account_id")})
    return FirstKey(made["key"], made["account_id"])


def channels(api: ManagementApi, directory: DataDirectory, provider_keys: Mapping[str, str]) -> list[str]:
    """Makes a channel for each provider key, or gives the one made before its new key. Returns sentences on that."""
    if not provider_keys:
        return []
    by_name = {row["name"]: row for row in api.all("/api/channels")}
    fingerprints: dict[str, Any] = dict(remembered(directory, CHANNEL_KEYS) or {})
    done = []
    for provider, key in provider_keys.items():
        name = f"{provider} (from the environment)"
        fingerprint = hashlib.sha256(key.encode()).hexdigest()
        existing = by_name.get(name)
        if existing is None:
            models = list(DEFAULT_MODELS[provider])
            body = {"name": name, "provider": provider, "models": models, "api_key": key}
            api.must("POST", "/api/channels", body, idempotency_key=f"make-run-{uuid.uuid4()}")
            done.append(f"Channel “{name}” is new, with {', '.join(models)}. They have no price until you set one.")
        elif fingerprints.get(provider) != fingerprint:
            api.must("PATCH", f"/api/channels/{existing['id']}", {"api_key": key})
            done.append(f"Channel “{name}” has its new key.")
        fingerprints[provider] = fingerprint
    remember(directory, CHANNEL_KEYS, fingerprints)
    return done


def wait_until_usable(url: str, redis_url: str, first: FirstKey, given_up: Callable[[], bool]) -> None:
    """Returns once the public door takes the key and the account can be charged, or `given_up()`.

    Raises StackProblem when that isn't so in 30 s.
    """
    deadline = time.monotonic() + USABLE_LIMIT_S
    problem = ""
    while not given_up():
        status = _models_status(url, first.key)
        problem = f"GET /v1/models has status {status} for it" if status != 200 else ""
        if not problem and not _account_is_open(redis_url, first.account_id):
            problem = "billing has not opened its account"
        if not problem:
            return
        if time.monotonic() > deadline:
            raise StackProblem(f"The gateway does not take its first relay key: {problem}.")
        time.sleep(0.05)


def _models_status(url: str, key: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=ASK_LIMIT_S)
    try:
        connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _account_is_open(redis_url: str, account_id: str) -> bool:
    try:
        with redis.Redis.from_url(redis_url, socket_timeout=ASK_LIMIT_S) as client:
            return bool(client.hexists(balance_key(account_id), "epoch"))
    except (redis.RedisError, OSError):
        return False


def curl_line(url: str, key: str) -> str:
    """A request to the built-in model, ready to paste."""
    body = json.dumps({"model": "sandbox", "messages": [{"role": "user", "content": "Hello"}]})
    headers = f"-H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
    return f"curl {url}/v1/chat/completions {headers} -d '{body}'"
