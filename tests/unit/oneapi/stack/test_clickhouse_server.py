from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET  # noqa: TID251 - it reads what we wrote

from oneapi.stack import clickhouse_server
from oneapi.stack.plan import Login
from oneapi.stack.programs import Program

LOGIN = Login("oneapi", "a/b@c")


def users(folder: Path, command: tuple[str, ...]) -> tuple[set[str], tuple[str, ...]]:
    plan = clickhouse_server.plan(Program(command, "26", "PATH"), folder, 8123, LOGIN)
    for name in ("users.xml", "config.xml"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert ET.parse(folder / "config.xml").findtext("http_port") == "8123"
    found = ET.parse(folder / "users.xml").find("users")
    assert found is not None
    return {element.tag for element in found}, plan.command


def test_the_launcher_has_its_bootstrap_user_which_nobody_else_can_be(tmp_path: Path) -> None:
    names, command = users(tmp_path, ("python", "-P", "clickhouse_launcher.py"))
    assert names == {"default", "oneapi"}
    assert command[-1] == str(tmp_path)
    text = (tmp_path / "users.xml").read_text()
    assert "<bootstrap><max_sessions_for_user>1</max_sessions_for_user></bootstrap>" in text
    assert LOGIN.password not in text


def test_the_official_server_has_our_user_only(tmp_path: Path) -> None:
    names, command = users(tmp_path, ("/usr/bin/clickhouse", "server"))
    assert names == {"oneapi"}
    assert command[-1] == f"--config-file={tmp_path / 'config.xml'}"


def test_the_login_survives_the_url() -> None:
    url = clickhouse_server.url(8123, LOGIN)
    assert url == "http://oneapi:a%2Fb%40c@127.0.0.1:8123/oneapi"
    assert clickhouse_server.authorization(urlsplit(url)) == {"Authorization": "Basic b25lYXBpOmEvYkBj"}
    assert clickhouse_server.authorization(urlsplit("http://h:1/d")) == {}
