"""The script of the MCP Apps view in Node, between stand-ins of a page and of a host."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.admin.public.documents.app_view_script import SCRIPT

HOST = Path(__file__).parent / "app_view_host.js"


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    run = subprocess.run([node, HOST], input=SCRIPT.encode(), capture_output=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr.decode()
    found: dict[str, Any] = msgspec.json.decode(run.stdout)
    return found


def test_the_view_introduces_itself_and_waits_for_the_host(seen: dict[str, Any]) -> None:
    (hello,) = seen["opening"]
    assert hello["method"] == "ui/initialize"
    assert hello["params"]["protocolVersion"] == "2026-01-26"
    assert set(hello["params"]) == {"protocolVersion", "appInfo", "appCapabilities"}
    assert seen["sent"][1] == {"jsonrpc": "2.0", "method": "ui/notifications/initialized"}
    assert seen["enabled"]
    assert seen["theme"] == "dark"


def test_nobody_but_the_host_is_heard(seen: dict[str, Any]) -> None:
    assert seen["afterStranger"] == 0


def test_without_a_host_nothing_is_sent(seen: dict[str, Any]) -> None:
    assert seen["before"] == 0


def test_tools_are_called_through_the_host(seen: dict[str, Any]) -> None:
    assert seen["asked"]["method"] == seen["listed"]["method"] == "tools/call"
    assert seen["asked"]["params"] == {"name": "ask", "arguments": {"query": "price of x"}}
    assert seen["listed"]["params"] == {"name": "list_models", "arguments": {}}
    assert seen["opened"]["method"] == "ui/open-link"
    assert seen["refused"] == "refused"


def test_answers_are_shown_as_text(seen: dict[str, Any]) -> None:
    assert seen["answer"] == seen["name"] == "<img src=x onerror=alert(1)>"
    assert seen["models"] == ["m", "c: input 2 USD per 1M tokens"]
    assert "innerHTML" not in SCRIPT


def test_requests_of_the_host_are_answered(seen: dict[str, Any]) -> None:
    assert seen["teardown"] == {"jsonrpc": "2.0", "id": 99, "result": {}}
    assert seen["unknown"]["error"]["code"] == -32601
