"""The router as a process of its own: `python -m services.router`."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.ports import free_port

SETTINGS = {
    "ONEAPI_SECRET_KEY": "a secret of the tests",
    "NATS_URL": "nats://user:pa55word@127.0.0.1:1",
    "ONEAPI_PARENT_DEATH": "1",
}


def start(**settings: str) -> subprocess.Popen[str]:
    environment = {"PATH": os.environ["PATH"]} | SETTINGS | settings
    return subprocess.Popen(
        [sys.executable, "-m", "services.router"], env=environment, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def ports() -> dict[str, str]:
    names = ("ONEAPI_ROUTER_PORT", "ONEAPI_ROUTER_HEALTH_PORT", "ONEAPI_METRICS_PORT")
    return {name: str(free_port()) for name in names}


@pytest.fixture
def program(ports: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = start(**ports)
    yield process
    process.kill()
    process.communicate()


def answer(url: str) -> bytes:
    """What it says, once it listens."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            return error.read()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_runs_without_nats_until_a_signal(program: subprocess.Popen[str], ports: dict[str, str]) -> None:
    ready = json.loads(answer(f"http://127.0.0.1:{ports['ONEAPI_ROUTER_HEALTH_PORT']}/readyz"))
    assert ready["missing"] == {"catalog": "NATS has not been reached yet"}
    assert b"oneapi_router_picks_total 0.0" in answer(f"http://127.0.0.1:{ports['ONEAPI_METRICS_PORT']}/metrics")
    program.send_signal(signal.SIGTERM)
    _, log = program.communicate(timeout=10)
    assert program.returncode == 0, log
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["service"] for line in lines} == {"router"}
    assert "pa55word" not in log


@pytest.mark.parametrize("name", ["ONEAPI_ROUTER_PORT", "ONEAPI_TRACE_SAMPLE", "ONEAPI_LOG_LEVEL"])
def test_bad_settings_end_it_with_one_sentence(name: str) -> None:
    process = start(**{name: "nonsense"})
    _, log = process.communicate(timeout=20)
    assert process.returncode == 2
    assert log.startswith(f"The setting {name} must be ")
    assert len(log.splitlines()) == 1
