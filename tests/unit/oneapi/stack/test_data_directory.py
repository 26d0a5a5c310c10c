import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from oneapi.stack.data_directory import DataDirectory, unusable
from oneapi.stack.problem import StackProblem


def test_one_stack_at_a_time(tmp_path: Path) -> None:
    first, second = DataDirectory(tmp_path / "data"), DataDirectory(tmp_path / "data")
    assert second.owner() is None
    first.claim()
    with pytest.raises(StackProblem, match=rf"already running on .*data \(process {os.getpid()}\)"):
        second.claim()
    assert second.owner() == os.getpid()
    first.release()
    assert second.owner() is None
    second.claim()
    second.release()


def test_what_is_kept_is_private(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.claim()
    directory.write(directory.state_file, {"a": 1})
    assert directory.state_file.stat().st_mode & 0o777 == 0o600
    assert directory.path.stat().st_mode & 0o777 == 0o700
    assert directory.read(directory.state_file) == {"a": 1}
    directory.release()
    assert directory.read(directory.state_file) == {}


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    directory = DataDirectory(tmp_path)
    directory.secrets_file.write_text(text)
    with pytest.raises(StackProblem, match=r"secrets\.json is damaged"):
        directory.read(directory.secrets_file)


def test_a_place_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackProblem, match="can't be used"):
        DataDirectory(tmp_path / "file").claim()


def test_a_full_disk_is_refused_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    with pytest.raises(StackProblem, match="only 5 MB free"):
        DataDirectory(tmp_path).claim()


def test_no_space_is_said_in_plain_words() -> None:
    assert unusable(Path("/d"), OSError(errno.ENOSPC, "x")) == "There is no space left on the disk of /d."
