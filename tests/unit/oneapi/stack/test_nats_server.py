from pathlib import Path

import pytest

from oneapi.stack import nats_server
from oneapi.stack.plan import Login
from oneapi.stack.programs import Program

LOGIN = Login("oneapi", 'pa"ss')


def test_the_configuration_is_private_and_quotes_its_words(tmp_path: Path) -> None:
    plan = nats_server.plan(Program(("nats-server",), "2.10", "PATH"), tmp_path, 4222, LOGIN)
    path = tmp_path / "nats.conf"
    assert path.stat().st_mode & 0o777 == 0o600
    assert plan.command == ("nats-server", "--config", str(path))
    text = path.read_text()
    assert 'password: "pa\\"ss"' in text
    assert f'store_dir: "{tmp_path}/jetstream"' in text
    assert 'listen: "127.0.0.1:4222"' in text


@pytest.mark.parametrize(("version", "warns"), [("2.9.10", True), ("2.10.27", True), ("2.11.0", False), ("dev", False)])
def test_old_servers_are_spoken_of(version: str, warns: bool) -> None:
    assert bool(nats_server.warning(version)) == warns
