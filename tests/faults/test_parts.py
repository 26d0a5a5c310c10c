"""The harness's own parts: the proxy's toxics, the schedule, the injection, the planted bugs, the verdict."""

import asyncio
import contextlib
import dataclasses
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.gateway import ROOT
from tests.faults import schedule
from tests.faults.checker import Verdict, judge
from tests.faults.cluster import INJECTION
from tests.faults.evidence import Evidence, Limits, Row, Spooled, excesses
from tests.faults.load import Asked, delta_tokens, tally
from tests.faults.mutants.planted import MUTANTS
from tests.faults.proxy import Hop
from tests.ports import free_port

# Proxy -----------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def echo_behind_a_hop() -> AsyncIterator[tuple[Hop, list[bytes]]]:
    """A server that answers each line with the same line, behind a hop; and the lines that it has read."""
    read: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            read.append(line)
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    hop = Hop(free_port(), server.sockets[0].getsockname()[1])
    serving = asyncio.create_task(hop.serve())
    try:
        yield hop, read
    finally:
        hop.cut()
        serving.cancel()
        server.close()


async def connected(hop: Hop) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", hop.listen)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)


async def said(hop: Hop, line: bytes) -> bytes:
    """The answer to one line on a connection of its own; "" when the connection ended instead."""
    reader, writer = await connected(hop)
    try:
        writer.write(line)
        return await reader.readline()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_the_proxy_forwards() -> None:
    async with echo_behind_a_hop() as (hop, _):
        assert await said(hop, b"hello\n") == b"hello\n"


async def test_a_dropped_reply_is_of_a_request_that_was_done() -> None:
    async with echo_behind_a_hop() as (hop, read):
        await hop.apply("drop_reply", needle=b"RESERVE", count=1)
        assert await said(hop, b"PING\n") == b"PING\n"
        assert await said(hop, b"RESERVE 1\n") == b""
        assert read == [b"PING\n", b"RESERVE 1\n"]
        assert hop.drops == 0
        assert await said(hop, b"RESERVE 2\n") == b"RESERVE 2\n"


async def test_a_needle_may_be_cut_in_two() -> None:
    async with echo_behind_a_hop() as (hop, _):
        await hop.apply("drop_reply", needle=b"RESERVE", count=1)
        reader, writer = await connected(hop)
        writer.write(b"1\nRES")
        assert await reader.readline() == b"1\n"
        writer.write(b"ERVE\n")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.readline() == b""
        assert hop.drops == 0


async def test_a_cut_ends_what_is_there_and_nothing_new() -> None:
    async with echo_behind_a_hop() as (hop, _):
        reader, writer = await connected(hop)
        writer.write(b"a\n")
        await reader.readline()
        await hop.apply("cut")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        assert await said(hop, b"b\n") == b"b\n"


async def test_a_black_hole_is_silent_until_it_is_over() -> None:
    async with echo_behind_a_hop() as (hop, _):
        hole = asyncio.create_task(hop.apply("blackhole", seconds=0.3))
        await asyncio.sleep(0)
        answer = asyncio.create_task(said(hop, b"a\n"))
        done, _ = await asyncio.wait([answer], timeout=0.15)
        assert not done
        await hole
        assert await answer == b"a\n"


async def test_an_unknown_toxic_is_refused() -> None:
    with pytest.raises(ValueError, match="arsenic"):
        await Hop(1, 2).apply("arsenic")


# Schedule --------------------------------------------------------------------------------------------------------


def test_a_seed_repeats_a_run() -> None:
    assert schedule.draw(5, 40) == schedule.draw(5, 40)
    assert schedule.draw(5, 40) != schedule.draw(6, 40)


@pytest.mark.parametrize("seed", range(20))
def test_every_run_has_what_it_must(seed: int) -> None:
    faults = schedule.draw(seed, 30)
    assert len(faults) >= 30
    for name in schedule.KILLS:
        assert sum(fault.kind == "kill" and fault.subject == name for fault in faults) >= 2
    long = [fault.subject for fault in faults if fault.seconds == schedule.OUTAGE_S]
    assert sorted(long) == ["clickhouse", "nats"]
    assert {"flush", "toxic"} <= {fault.kind for fault in faults}
    assert len(schedule.draw_short(seed)) >= 10


# Injection -------------------------------------------------------------------------------------------------------

VICTIM = """
NUMBER = 1
class Thing:
    async def wait(self): print("waited", flush=True)
    def work(self): print("worked", flush=True)
"""


@pytest.mark.parametrize(
    ("crash_at", "printed", "code"),
    [
        ("victim:Thing.work:before:2", "worked\nwaited\n", -9),
        ("victim:Thing.work:after:2", "worked\nwaited\nworked\n", -9),
        ("victim:Thing.wait:before:1", "worked\n", -9),
        ("victim:Thing.wait:after:1", "worked\nwaited\n", -9),
        ("", "worked\nwaited\nworked\nwaited\n7\n", 0),
    ],
)
async def test_a_process_ends_at_the_named_call(tmp_path: Path, crash_at: str, printed: str, code: int) -> None:
    (tmp_path / "victim.py").write_text(VICTIM)
    program = (
        "import asyncio, victim\n"
        "for _ in range(2):\n    victim.Thing().work()\n    asyncio.run(victim.Thing().wait())\n"
        "print(victim.NUMBER)"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        env={"PYTHONPATH": f"{INJECTION}:{tmp_path}", "FAULTS_CRASH_AT": crash_at, "FAULTS_SET": "victim:NUMBER=7"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert (output.decode(), process.returncode) == (printed, code)


# Planted bugs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.name))
def test_every_bug_can_still_be_planted(mutant: object) -> None:
    """When this fails, the code has moved on and the bug must be planted anew in tests/faults/mutants/planted.py."""
    found = next(one for one in MUTANTS if one is mutant)
    assert found.expected or found.why
    for change in found.changes:
        assert (ROOT / change.file).read_text().count(change.old) == 1, change.file


# Clients ---------------------------------------------------------------------------------------------------------


def asked(**fields: object) -> Asked:
    made = Asked("m1", "key", "short", "/v1/chat/completions", False, 0, 0.0, 200, "r1", 4, True)
    return dataclasses.replace(made, **fields)  # type: ignore[arg-type]


def test_what_became_of_requests_is_counted() -> None:
    counts = tally(
        [
            asked(),
            asked(stream=True, whole=False, left=True),
            asked(stream=True, whole=False),
            asked(status=503, whole=False),
            asked(status=402, whole=False),
            asked(status=0, whole=False),
        ]
    )
    assert (counts.whole, counts.left, counts.cut, counts.answered, counts.streams) == (1, 1, 1, 3, 2)
    assert (counts.refused, counts.unanswered) == ({503: 1, 402: 1}, 1)


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        (b'data: {"choices":[{"delta":{"content":" tok tok"}}]}', 2),
        (b'data: {"type":"content_block_delta","delta":{"text":" tok"}}', 1),
        (b'data: {"choices":[{"delta":{}}]}', 0),
        (b"data: [DONE]", 0),
    ],
)
def test_tokens_of_a_line(line: bytes, tokens: int) -> None:
    assert delta_tokens(line) == tokens


# Verdict ---------------------------------------------------------------------------------------------------------

LIMITS = Limits({"k": 1_000_000}, {"a": 2_000_000}, {"input": 2000, "output": 8000})
ROW = Row("r1", "m1", "k", 54_000, 0, {"input": 11, "output": 4}, "provider", "ok", 200_000, "a")
SERVED = {"status": 200, "tokens": 4, "body": {"messages": [{"content": "m1"}]}}
GOOD = Evidence(
    rows=[ROW],
    sums={"a": (2_000_000, 54_000)},
    counters={"a": {"epoch": "1", "credits": "2000000", "posted": "54000"}},
    held={"a": 0},
    spooled=Spooled(frozenset({"r1"}), frozenset({"r1"}), frozenset({"r1"})),
    shipped=frozenset({"r1"}),
    served=[SERVED],
)


def verdict(request: Asked | None = None, **fields: object) -> Verdict:
    evidence = dataclasses.replace(GOOD, **fields)  # type: ignore[arg-type]
    return judge(evidence, [request or asked()], LIMITS)


def row(**fields: object) -> Row:
    return dataclasses.replace(ROW, **fields)  # type: ignore[arg-type]


def test_nothing_is_wrong_when_all_agree() -> None:
    found = verdict()
    assert found.good, found.complaints
    assert found.requests == 1


@pytest.mark.parametrize(
    ("invariant", "number", "request_", "fields"),
    [
        ("I1", "", None, {"excesses": ["5 of a budget of 4"]}),
        ("I1'", "overspend_nano", None, {"rows": [ROW, row(request_id="r2", marker="m2", amount=1_500_000)]}),
        ("I2", "", None, {"counters": {"a": {"credits": "2000000", "posted": "53999"}}}),
        ("I2", "", None, {"counters": {"a": {"credits": "2000000", "posted": "54000", "reserved:s": "1"}}}),
        ("I2", "", None, {"held": {"a": 1}}),
        ("I3", "lost", None, {"rows": []}),
        ("I3", "lost", asked(status=0, request_id="", marker="m9"), {"rows": []}),
        ("I3", "lost", asked(status=0, marker="m9"), {"spooled": Spooled(frozenset({"r2", "r1"}), frozenset({"r2"}))}),
        ("I4", "double", None, {"rows": [ROW, ROW]}),
        ("I4", "double", None, {"duplicates": 1}),
        ("I5", "inexact", asked(tokens=5), {}),
        ("I5", "inexact", asked(tokens=5, whole=False), {}),
        ("I5", "inexact", None, {"rows": [row(amount=54_001)]}),
        ("I5", "inexact", None, {"served": [{**SERVED, "tokens": 3}]}),
        ("I7", "", None, {"spooled": Spooled(frozenset({"r2"}))}),
        ("I7", "", None, {"spooled": Spooled(frozenset({"r1"}))}),
        ("I8", "inexact", None, {"rows": [row(evidence="hold")]}),
        ("I8", "", None, {"unsettled": ["z:{a} holds 1"]}),
        ("I9", "", None, {"shipped": frozenset()}),
        ("I10", "inexact", asked(status=402, whole=False), {"served": []}),
        ("OK", "", asked(status=401, whole=False), {}),
        ("IV", "", None, {"proof": "I4 uniqueness fails"}),
    ],
)
def test_each_kind_of_fault_has_its_complaint(
    invariant: str, number: str, request_: Asked | None, fields: dict[str, object]
) -> None:
    found = verdict(request_, **fields)
    assert not found.good
    assert found.broken[invariant] >= 1
    assert any(what.startswith(f"{invariant}: ") for what in found.complaints)
    assert not number or getattr(found, number) > 0


@pytest.mark.parametrize(
    ("state", "count"),
    [
        ({"posted": "5", "reserved": "5"}, 0),
        ({"posted": "5", "unposted": "5", "reserved": "1"}, 1),
        ({"reserved": "-1"}, 1),
        ({"posted:key:k:total": "3", "reserved:key:k:total": "2"}, 1),
        ({"posted:key:k:total": "4", "unposted:key:other:total": "9"}, 0),
    ],
)
def test_limits_hold_at_every_instant(state: dict[str, str], count: int) -> None:
    assert len(excesses(state, 10, {"k": 4})) == count


def test_an_unlimited_account_has_no_credit_to_exceed() -> None:
    assert not excesses({"posted": "1000000"}, 0, {})
