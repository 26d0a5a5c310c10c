"""A short run of everything, always from the same seed, and proofs that a run finds what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import collector, gateway
from tests.e2e.gateway import ROOT, Gateway
from tests.fuzz import guided, reading, run, sockets
from tests.fuzz.report import Report
from tests.fuzz.targets import TARGETS
from tests.security import wire

__all__ = ["collector", "gateway"]
SEED = 1
TWO_WAYS = (wire.get("/v1/models", host=None), wire.get("/v1/models", wire.AUTHORIZED, "host: other"))
HTTP = {"inference": 200, "sockets": 200, "api": 700}
# It imports no target: to instrument what they import takes longer than the run.
PLANTED = '''"""Planted."""
from types import SimpleNamespace
def check(data):
    assert data[:2] != b"ab" or data == b"abd"
    return None
TARGETS = {"planted": SimpleNamespace(seeds=[b"abd"], check=check)}
'''


def test_a_few_cases_in_process() -> None:
    run.FOLDER.mkdir(exist_ok=True)
    report = Report(run.FOLDER)
    for name, target in TARGETS.items():
        assert guided.unguided(target.check, list(target.seeds), 60 * target.share, SEED, run.FOLDER) == 0, name
        report.cases += 1
    assert report.cases == len(TARGETS)


def test_a_few_cases_over_http(gateway: Gateway) -> None:
    run.FOLDER.mkdir(exist_ok=True)
    report = Report(run.FOLDER)
    run.over_http(gateway, HTTP, SEED, report)
    assert report.failures == 0, "the inputs are in .fuzz/"
    assert report.cases >= sum(HTTP.values()) * 0.7, "operations without anything to break have half of their cases"
    document = gateway.admin.get("/openapi.json").json()
    listed = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert report.operations.keys() == listed
    good = {name for name, seen in report.operations.items() if any(status < 300 for status in seen)}
    assert len(good) > 0.8 * len(listed), listed - good


@pytest.mark.parametrize("unguided", [False, True])
def test_a_planted_fault_is_found_and_its_input_is_kept(tmp_path: Path, unguided: bool) -> None:
    (tmp_path / "planted.py").write_text(PLANTED)
    kept = tmp_path / "kept"
    kept.mkdir()
    program = "import sys; from tests.fuzz import guided; "
    if unguided:
        program += "guided.importlib.util.find_spec = lambda name: None; "
    program += "sys.exit(guided.main('planted', 50_000, 1, guided.Path(sys.argv[1]), 'planted'))"
    done = subprocess.run(
        [sys.executable, "-c", program, str(kept)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    crashes = list(kept.glob("crash-*"))
    assert done.returncode != 0, done.stderr
    assert len(crashes) == 1, (done.returncode, list(kept.iterdir()), done.stderr)
    assert crashes[0].read_bytes().startswith(b"ab")


def test_a_request_is_read_as_the_attacks_know_it() -> None:
    good = wire.get("/v1/models")
    assert reading.requests(good) == (1, 1, set())
    assert reading.requests(good * 2) == (1, 1, set()), "nothing counts behind the end of the connection"
    kept = good.replace(b"connection: close\r\n", b"")
    assert reading.requests(kept * 3 + wire.chunked(sockets.CHUNKS)) == (4, 4, set())
    assert reading.requests(wire.chunked(sockets.CHUNKS, "content-length: 3")) == (0, 1, set())
    assert reading.requests(kept + kept.replace(b"GET", b"HEAD")) == (2, 2, {1})
    for hostile in TWO_WAYS:
        assert reading.requests(hostile) == (0, 1, set())


def test_a_second_answer_to_one_request_is_a_failure() -> None:
    sent = wire.get("/v1/models")
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    assert sockets.problem(sent, answer, ended=True) == ""
    assert "[200, 200] for 1 requests" in sockets.problem(sent, answer * 2, ended=True)
    assert "valid requests" in sockets.problem(TWO_WAYS[0], answer, ended=True)
    assert "status 500" in sockets.problem(sent, answer.replace(b"200", b"500"), ended=True)
    assert "whole answers" in sockets.problem(sent, answer[:-1], ended=True)
    assert "ended" in sockets.problem(sent, b"", ended=False)


def test_an_answer_to_head_ends_with_its_head() -> None:
    head, answer = wire.get("/v1/models").replace(b"GET", b"HEAD"), b"HTTP/1.1 405 No\r\ncontent-length: 2\r\n\r\n"
    kept = wire.get("/v1/models").replace(b"connection: close\r\n", b"")
    assert sockets.problem(head, answer, ended=True) == ""
    assert sockets.problem(kept + head, answer + b"no" + answer, ended=True) == ""
    assert "whole answers" in sockets.problem(kept, answer, ended=True)
