import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from oneapi import cli
from oneapi.runtime.environment import SettingError
from oneapi.stack.problem import StackProblem


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[list[str], Mapping[str, str]]]:
    """The programs that the command became."""
    found: list[tuple[list[str], Mapping[str, str]]] = []

    def execve(program: str, command: list[str], environment: Mapping[str, str]) -> None:
        found.append((command[1:], environment))
        raise SystemExit(0)

    monkeypatch.setattr("os.execve", execve)
    monkeypatch.setenv("ONEAPI_DATA_DIR", str(tmp_path))
    for name in ("NATS_URL", "REDIS_URL", "CLICKHOUSE_URL", "DATABASE_URL", "ONEAPI_ADMIN_URL"):
        monkeypatch.delenv(name, raising=False)
    return found


@pytest.mark.parametrize("service", cli.SERVICES)
def test_a_service_is_its_own_program(service: str, became: list[tuple[list[str], Mapping[str, str]]]) -> None:
    with pytest.raises(SystemExit):
        cli.main([service])
    assert became[0][0] == ["-m", f"services.{service}"]


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["apply", "-f", "x.yaml"], ["-m", "services.admin.apply", "-f", "x.yaml"]),
        (["apply", "-f", "-", "--dry-run"], ["-m", "services.admin.apply", "-f", "-", "--dry-run"]),
        (["ledger", "verify"], ["-m", "services.billing.verify"]),
    ],
)
def test_commands_of_services_get_the_environment(
    arguments: list[str],
    command: list[str],
    became: list[tuple[list[str], Mapping[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", "http://c/d")
    with pytest.raises(SystemExit):
        cli.main(arguments)
    assert became[0][0] == command
    assert became[0][1]["CLICKHOUSE_URL"] == "http://c/d"


def test_without_a_stack_they_say_so(
    became: list[tuple[list[str], Mapping[str, str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["ledger", "verify"]) == 1
    assert capsys.readouterr().err.startswith("oneapi: No stack runs on ")
    assert not became


@pytest.mark.parametrize(
    ("raised", "code", "sentence"),
    [
        (StackProblem("Port 1 is taken.", "do that"), 1, "oneapi: Port 1 is taken. Run: do that\n"),
        (SettingError("X", "must be 1 or 0"), 2, "oneapi: The setting X must be 1 or 0.\n"),
        (OSError(errno.ENOSPC, "no", "/d/f"), 1, "oneapi: There is no space left on the disk of /d/f.\n"),
        (PermissionError(errno.EACCES, "Permission denied", "/d"), 1, "oneapi: /d can't be used: Permission denied.\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_problems_are_one_sentence_and_a_code(
    raised: BaseException,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def dispatch(_: Any) -> int:
        raise raised

    monkeypatch.setattr(cli, "dispatch", dispatch)
    assert cli.main(["up"]) == code
    assert capsys.readouterr().err == sentence
