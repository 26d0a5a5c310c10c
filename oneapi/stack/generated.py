"""What the stack generates once and keeps: the secret key, the administrator's token, the servers' password, and more.

It decides which secrets exist, and that the environment's win. It must not know who uses them.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oneapi.runtime.relay_keys import mint_management
from oneapi.stack.data_directory import DataDirectory
from oneapi.stack.problem import StackProblem


@dataclass(frozen=True)
class Secrets:
    """The secrets of one installation, as they are used now."""

    admin_token: str
    secret_key: str
    server_password: str


def load(directory: DataDirectory, environment: Mapping[str, str]) -> Secrets:
    """The environment's secrets, else the kept ones, else new ones, which are kept then.

    Raises StackProblem when the secret key is not the one that this directory was made with, and that one is not
    among the previous ones either: what was sealed with it could never be opened again.
    """
    kept = directory.read(directory.secrets_file)
    before = dict(kept)
    kept.setdefault("server_password", secrets.token_urlsafe(24))
    admin_token = environment.get("ONEAPI_ADMIN_TOKEN") or kept.setdefault("admin_token", mint_management())
    secret_key = environment.get("ONEAPI_SECRET_KEY") or kept.setdefault("secret_key", secrets.token_urlsafe(48))
    fingerprint = _fingerprint(secret_key)
    previous = {_fingerprint(each.strip()) for each in environment.get("ONEAPI_SECRET_KEY_PREVIOUS", "").split(",")}
    if kept.setdefault("secret_key_fingerprint", fingerprint) not in {fingerprint, *previous}:
        raise StackProblem(
            f"ONEAPI_SECRET_KEY is not the key that {directory.path} was made with; set that one, "
            "name it in ONEAPI_SECRET_KEY_PREVIOUS to change it, or delete the directory for a fresh start."
        )
    kept["secret_key_fingerprint"] = fingerprint
    if kept != before:
        directory.write(directory.secrets_file, kept)
    return Secrets(admin_token, secret_key, kept["server_password"])


def _fingerprint(secret_key: str) -> str:
    return hashlib.sha256(secret_key.encode()).hexdigest()


def remembered(directory: DataDirectory, name: str) -> Any:
    """A value that was kept beside the secrets, or None."""
    return directory.read(directory.secrets_file).get(name)


def remember(directory: DataDirectory, name: str, value: Any) -> None:
    """Keeps a JSON value beside the secrets."""
    directory.write(directory.secrets_file, {**directory.read(directory.secrets_file), name: value})
