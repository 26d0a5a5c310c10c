from pathlib import Path

import pytest

from oneapi.stack import bootstrap


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in (*bootstrap.LOCKS.values(), bootstrap.BUILD_LOCK, "pyproject.toml"):
        (tmp_path / name).write_text(name)
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").touch()
    return tmp_path


def stamp(project: Path, kind: str) -> None:
    (project / f"venv/.stamp-{kind}").write_text(bootstrap.stamp_of(kind, project))


def test_unchanged_locks_are_not_installed_again(project: Path) -> None:
    venv = project / "venv"
    assert not bootstrap.is_done("run", venv, project)
    stamp(project, "run")
    assert bootstrap.is_done("run", venv, project)
    assert not bootstrap.is_done("test", venv, project)
    (project / bootstrap.LOCKS["run"]).write_text("changed")
    assert not bootstrap.is_done("run", venv, project)


def test_what_tests_need_is_enough_to_run(project: Path) -> None:
    stamp(project, "test")
    assert bootstrap.is_done("run", project / "venv", project)
    (project / "venv/bin/python").unlink()
    assert not bootstrap.is_done("run", project / "venv", project)


def test_another_python_is_another_stamp(project: Path) -> None:
    assert bootstrap.stamp_of("run", project, "3.11") != bootstrap.stamp_of("run", project, "3.12")


def test_an_old_python_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", (99, 0))
    assert bootstrap.main("run") == 1
    assert capsys.readouterr().err.startswith("One API needs Python 3.11 or newer")


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bootstrap.NEEDED_BYTES, "run", 10**18)
    with pytest.raises(bootstrap.SetupProblem, match="MB free on the disk"):
        bootstrap.check_machine("run")
