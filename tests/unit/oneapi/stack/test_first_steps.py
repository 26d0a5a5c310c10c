import shlex
from pathlib import Path
from typing import Any

import pytest

from oneapi.stack import first_steps, generated
from oneapi.stack.data_directory import DataDirectory
from oneapi.stack.management_api import ManagementApi
from oneapi.stack.problem import StackProblem


class RecordedApi(ManagementApi):
    """A management API in memory: keys and channels, and every call that changed something."""

    def __init__(self) -> None:
        super().__init__("http://unused", "unused")
        self.rows: dict[str, dict[str, Any]] = {}
        self.changes: list[tuple[str, str, Any, str]] = []

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, idempotency_key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        resource = path.partition("?")[0]
        if method == "GET" and resource == "/api/channels":
            rows = [row for where, row in self.rows.items() if where.startswith(resource)]
            return 200, {"data": rows, "next_cursor": None}
        if method == "GET":
            return (200, self.rows[resource]) if resource in self.rows else (404, {"title": "Not found"})
        self.changes.append((method, path, body, idempotency_key))
        if method == "PATCH":
            return 200, self.rows[resource]
        number = str(len(self.changes))
        made = {"id": number, "key": f"sk-{number}", "account_id": "acc_operator", **(body or {})}
        self.rows[f"{resource}/{number}"] = made
        return 201, made


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path)


def test_the_relay_key_is_made_once(directory: DataDirectory) -> None:
    api = RecordedApi()
    first = first_steps.relay_key(api, directory)
    assert first == first_steps.FirstKey("sk-1", "acc_operator")
    assert first_steps.relay_key(api, directory) == first
    [(method, path, _, idempotency_key)] = api.changes
    assert (method, path) == ("POST", "/api/keys")
    assert idempotency_key


def test_a_deleted_relay_key_is_made_anew(directory: DataDirectory) -> None:
    api = RecordedApi()
    key = first_steps.relay_key(api, directory)
    api.rows.clear()
    assert first_steps.relay_key(api, directory) != key
    assert api.changes[0][3] != api.changes[1][3]


def test_a_start_that_died_asks_again_under_the_same_name(directory: DataDirectory) -> None:
    generated.remember(directory, first_steps.RELAY_KEY, {"idempotency_key": "before"})
    api = RecordedApi()
    first_steps.relay_key(api, directory)
    assert api.changes[0][3] == "before"


def test_provider_keys_become_channels_once(directory: DataDirectory) -> None:
    api = RecordedApi()
    assert first_steps.channels(api, directory, {}) == []
    done = first_steps.channels(api, directory, {"openai": "sk-o", "anthropic": "sk-a", "gemini": "g"})
    assert len(done) == 3
    assert {body["provider"]: body["api_key"] for _, _, body, _ in api.changes} == {
        "openai": "sk-o",
        "anthropic": "sk-a",
        "gemini": "g",
    }
    assert first_steps.channels(api, directory, {"openai": "sk-o", "anthropic": "sk-a", "gemini": "g"}) == []
    assert len(api.changes) == 3
    assert "sk-o" not in directory.secrets_file.read_text()


def test_a_changed_provider_key_reaches_its_channel(directory: DataDirectory) -> None:
    api = RecordedApi()
    first_steps.channels(api, directory, {"openai": "sk-old"})
    done = first_steps.channels(api, directory, {"openai": "sk-new"})
    assert "new key" in done[0]
    assert api.changes[-1][:3] == ("PATCH", "/api/channels/1", {"api_key": "sk-new"})


def test_a_refusal_is_a_sentence() -> None:
    class Refusing(RecordedApi):
        def call(self, *_: Any, **__: Any) -> tuple[int, dict[str, Any]]:
            return 422, {"title": "Unprocessable", "detail": "models: too long"}

    with pytest.raises(StackProblem, match="refused POST /api/x: models: too long"):
        Refusing().must("POST", "/api/x", {})


def test_the_curl_line_survives_a_shell() -> None:
    words = shlex.split(first_steps.curl_line("http://127.0.0.1:3000", "sk-1"))
    assert words[:2] == ["curl", "http://127.0.0.1:3000/v1/chat/completions"]
    assert "Authorization: Bearer sk-1" in words
    assert words[-1].startswith('{"model": "sandbox"')
