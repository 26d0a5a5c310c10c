"""Starting, restarting and ending, with tiny programs in place of servers and services."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oneapi.stack.problem import StackProblem
from oneapi.stack.supervisor import SIGNALS, Supervisor
from tests.integration.stack.programs_under_test import PARENT, STEADY, STUBBORN, pid_in, plan, running, until


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    found = Supervisor(said.append)
    found.handle_signals()
    yield found
    found.stop()
    for number, handler in before.items():
        signal.signal(number, handler)


def watch_while(supervisor: Supervisor, *steps: Callable[[], object]) -> None:
    """Supervises while the steps are done one after another, and then until the signal that ends that."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for step in steps:
                step()
        except BaseException as problem:
            failures.append(problem)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=work)
    thread.start()
    supervisor.watch()
    thread.join()
    assert not failures


def test_a_killed_child_comes_back(supervisor: Supervisor, said: list[str], tmp_path: Path) -> None:
    supervisor.start(([plan("one", tmp_path), plan("two", tmp_path)], 1))
    markers = {name: tmp_path / f"{name}.pid" for name in ("one", "two")}
    before = {name: pid_in(marker) for name, marker in markers.items()}

    def kill() -> None:
        os.kill(before["one"], signal.SIGKILL)

    def back() -> None:
        until(lambda: pid_in(markers["one"]) != before["one"] and "back" in said[-1])

    watch_while(supervisor, kill, back)
    assert pid_in(markers["two"]) == before["two"]
    assert said[0] == "one ended (killed by SIGKILL); it is started again in 0.2 s."
    assert said[1].startswith("one is back after ")


def test_a_child_that_keeps_ending_is_started_ever_more_rarely(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    once = f"import pathlib, sys\nif pathlib.Path(sys.argv[1]).exists(): sys.exit(3)\n{STEADY}"
    supervisor.start(([plan("one", tmp_path, once)], 1))
    pid = pid_in(tmp_path / "one.pid")
    watch_while(supervisor, lambda: os.kill(pid, signal.SIGKILL), lambda: until(lambda: len(said) == 3))
    assert [line.rpartition(" in ")[2] for line in said] == ["0.2 s.", "0.4 s.", "0.8 s."]
    assert "exit code 3" in said[1]


def test_the_end_comes_in_order_and_in_time(supervisor: Supervisor, said: list[str], tmp_path: Path) -> None:
    note = "\nimport atexit, time\natexit.register(lambda: open(sys.argv[2], 'a').write(sys.argv[1][-7:-4] + ' '))\n"
    source = STEADY.replace("signal.signal", f"{note}signal.signal", 1)
    order = tmp_path / "order"
    supervisor.start(([plan("old", tmp_path, source, str(order))], 1))
    supervisor.start(
        ([plan("mid", tmp_path, source, str(order))], 1),
        ([plan("new", tmp_path, source, str(order))], 1),
    )
    begun = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begun < 2
    assert order.read_text() == "new mid old "
    assert not said


def test_who_ignores_sigterm_is_killed_in_time(supervisor: Supervisor, said: list[str], tmp_path: Path) -> None:
    supervisor.start(([plan("deaf", tmp_path, STUBBORN)], 0.3))
    begun = time.monotonic()
    supervisor.stop()
    assert 0.3 <= time.monotonic() - begun < 2
    assert said == ["deaf did not end in time and was killed."]
    assert not running(pid_in(tmp_path / "deaf.pid"))


def test_a_second_signal_ends_everything_at_once(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(([plan("deaf", tmp_path, STUBBORN)], 60))
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    begun = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begun < 2


def test_what_a_child_left_behind_goes_with_it(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(([plan("one", tmp_path, PARENT, STEADY)], 1))
    until(lambda: running(pid_in(tmp_path / "one.pid.child")))
    supervisor.stop()
    until(lambda: not running(pid_in(tmp_path / "one.pid.child")))


def test_an_end_at_the_start_is_quoted(supervisor: Supervisor, tmp_path: Path) -> None:
    source = "import sys; sys.exit('The port is in use.')"
    with pytest.raises(StackProblem, match=r"one ended at its start \(exit code 1\): The port is in use\."):
        supervisor.start(([plan("one", tmp_path, source)], 1))


def test_a_start_that_takes_too_long_is_given_up(supervisor: Supervisor, tmp_path: Path) -> None:
    slow = replace(plan("slow", tmp_path), ready=lambda: False, ready_limit_s=0.3)
    with pytest.raises(StackProblem, match=r"slow was not ready after 0\.3 s"):
        supervisor.start(([slow], 1))


def test_a_signal_ends_the_wait_for_a_start(supervisor: Supervisor, tmp_path: Path) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    supervisor.start(([replace(plan("slow", tmp_path), ready=lambda: False)], 1))
    assert supervisor.stopping()


SUPERVISING = """
import pathlib, sys
from oneapi.stack.supervisor import Supervisor
from tests.integration.stack.programs_under_test import STUBBORN, plan
supervisor = Supervisor(print)
supervisor.start(([plan("one", pathlib.Path(sys.argv[1]), STUBBORN)], 1))
supervisor.watch()
"""


def test_nothing_survives_a_killed_supervisor(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SUPERVISING, str(tmp_path)], cwd=Path(__file__).parents[3])
    until(lambda: running(pid_in(tmp_path / "one.pid")))
    process.kill()
    process.wait()
    until(lambda: not running(pid_in(tmp_path / "one.pid")), 2)
