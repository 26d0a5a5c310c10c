import os
from pathlib import Path

import pytest

from oneapi.stack.data_directory import DataDirectory
from oneapi.stack.problem import StackProblem
from oneapi.stack.running import complete

STATE = {"pid": os.getpid(), "environment": {"CLICKHOUSE_URL": "http://stack", "ONEAPI_SECRET_KEY": "k"}}


def test_a_running_stack_fills_the_gaps_only(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.claim()
    directory.write(directory.state_file, STATE)
    found = complete(
        {"CLICKHOUSE_URL": "http://mine", "ONEAPI_SECRET_KEY": "", "PATH": "/bin"}, DataDirectory(tmp_path)
    )
    directory.release()
    assert found == {"CLICKHOUSE_URL": "http://mine", "ONEAPI_SECRET_KEY": "k", "PATH": "/bin"}


def test_a_starting_stack_asks_for_patience(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.claim()
    directory.write(directory.state_file, {**STATE, "pid": 1})
    with pytest.raises(StackProblem, match="still starting"):
        complete({}, DataDirectory(tmp_path), patience_s=0)
    directory.release()


def test_what_a_dead_stack_left_is_not_used(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.write(directory.state_file, STATE)
    with pytest.raises(StackProblem, match="No stack runs"):
        complete({}, directory)
    assert complete({"CLICKHOUSE_URL": "http://mine"}, directory) == {"CLICKHOUSE_URL": "http://mine"}
