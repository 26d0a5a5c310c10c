from pathlib import Path

import pytest

from oneapi.runtime.relay_keys import well_formed_management
from oneapi.stack import generated
from oneapi.stack.data_directory import DataDirectory
from oneapi.stack.problem import StackProblem


def test_generated_once_and_kept(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    first = generated.load(directory, {})
    assert generated.load(directory, {}) == first
    assert well_formed_management(first.admin_token)
    assert len({first.admin_token, first.secret_key, first.server_password}) == 3
    assert directory.secrets_file.stat().st_mode & 0o777 == 0o600


def test_the_environment_wins_and_is_not_kept(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    found = generated.load(directory, {"ONEAPI_ADMIN_TOKEN": "mine", "ONEAPI_SECRET_KEY": "also mine"})
    assert (found.admin_token, found.secret_key) == ("mine", "also mine")
    assert "mine" not in directory.secrets_file.read_text()


def test_another_secret_key_is_refused(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    generated.load(directory, {})
    with pytest.raises(StackProblem, match="is not the key that"):
        generated.load(directory, {"ONEAPI_SECRET_KEY": "another"})


def test_the_secret_key_is_changed_by_naming_the_one_before(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    first = generated.load(directory, {})
    both = {"ONEAPI_SECRET_KEY": "second", "ONEAPI_SECRET_KEY_PREVIOUS": f"older, {first.secret_key}"}
    assert generated.load(directory, both).secret_key == "second"
    assert generated.load(directory, {"ONEAPI_SECRET_KEY": "second"}).secret_key == "second"
    # Without the new one in the environment the kept one would come back, which opens nothing any more.
    with pytest.raises(StackProblem, match="ONEAPI_SECRET_KEY_PREVIOUS"):
        generated.load(directory, {})


def test_other_values_live_beside_them(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    first = generated.load(directory, {})
    assert generated.remembered(directory, "x") is None
    generated.remember(directory, "x", {"y": 1})
    assert generated.remembered(directory, "x") == {"y": 1}
    assert generated.load(directory, {}) == first
