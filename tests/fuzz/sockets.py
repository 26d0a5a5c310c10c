"""Bytes on the edge's sockets: good and hostile requests, changed, joined and cut at random.

Every connection ends, or is answered, within its deadline. There are never more answers than a strict reading finds
requests for, nor more good ones than it finds valid requests, and the gateway never fails.
"""

import asyncio
import contextlib
import itertools
import random

from tests.fuzz import reading
from tests.fuzz.mutation import mutated
from tests.fuzz.report import Report
from tests.security import test_outside, wire
from tests.security.table import Row

LIMIT_S = 30.0
AT_ONCE = 32
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(wire.BODY), wire.BODY)
_PATIENCE_S = 0.4
_WAITS = 0.005
"""Share of connections that stay open until the edge ends them: each takes as long as the edge's own deadline."""
_LARGEST = 40_000


def seeds() -> list[bytes]:
    """What the security tests send, and pipelines of good requests."""
    rows = [row for row in test_outside.ROWS if isinstance(row, Row)]
    sent = [payload.sent for row in rows for payload in row.payloads if isinstance(payload, wire.Attack)]
    found = [data for data in sent if len(data) <= _LARGEST]
    good = [wire.get("/v1/models"), wire.sized(), wire.chunked(CHUNKS), wire.get("/healthz")]
    kept = [part.replace(b"connection: close\r\n", b"") for part in good]
    return [*found, *good * 4, *kept * 4, b"".join(kept)]


def case(choose: random.Random, corpus: list[bytes]) -> tuple[bytes, list[int]]:
    """The bytes of a connection, and where they are cut."""
    parts = [choose.choice(corpus) for _ in range(choose.choice((1, 1, 1, 2, 3)))]
    if choose.random() < 0.6:
        parts[:-1] = [part.replace(b"connection: close\r\n", b"") for part in parts[:-1]]
    data = b"".join(mutated(part, choose, corpus) if choose.random() < 0.8 else part for part in parts)
    cuts = sorted(choose.randrange(len(data) + 1) for _ in range(choose.choice((0, 0, 1, 2, 5))))
    return data, cuts


def problem(sent: bytes, received: bytes, *, ended: bool) -> str:
    """What is wrong with this conversation; empty when nothing is."""
    if not ended:
        return f"neither ended nor answered within {LIMIT_S:.0f} s"
    valid, allowed, heads = reading.requests(sent)
    statuses = reading.answers(received, heads)
    if statuses is None:
        return f"no sequence of whole answers: {received[-200:]!r}"
    if len(statuses) > allowed:
        return f"{statuses} for {allowed} requests"
    if sum(status < 300 for status in statuses) > valid:
        return f"{statuses} for {valid} valid requests"
    failed = [status for status in statuses if status >= 500 and status != 503]
    return f"status {failed[0]}" if failed else ""


async def _answered(reader: asyncio.StreamReader, received: bytearray, sent: bytes, patience_s: float) -> None:
    """Reads until all is answered, the server ends the connection, or nothing has come for a while."""
    _, expected, heads = reading.requests(sent)
    while len(reading.answers(bytes(received), heads) or ()) < expected:
        try:
            data = await asyncio.wait_for(reader.read(65_536), patience_s)
        except TimeoutError:
            if patience_s == LIMIT_S:
                raise
            return
        if not data:
            return
        received += data


async def _talk(port: int, source: str, pieces: list[bytes], *, waits: bool) -> tuple[bytes, bool]:
    """What came back, and whether the connection ended."""
    received = bytearray()
    try:
        async with asyncio.timeout(LIMIT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
            try:
                # A server may answer and close before all is sent.
                with contextlib.suppress(ConnectionError):
                    for piece in pieces:
                        writer.write(piece)
                        await writer.drain()
                        await asyncio.sleep(0)
                with contextlib.suppress(ConnectionError):
                    await _answered(reader, received, b"".join(pieces), LIMIT_S if waits else _PATIENCE_S)
                    with contextlib.suppress(OSError):  # it isn't connected any more
                        writer.write_eof()
                    while data := await reader.read(65_536):
                        received += data
            finally:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()
    except TimeoutError:
        return bytes(received), False
    return bytes(received), True


async def _run(port: int, secrets: dict[bytes, bytes], cases: int, seed: int, report: Report) -> None:
    corpus = seeds()
    choose = random.Random(f"sockets {seed}")
    numbers = iter(range(cases))

    async def worker() -> None:
        for number in numbers:
            data, cuts = case(choose, corpus)
            waits = choose.random() < _WAITS
            for mark, secret in secrets.items():
                data = data.replace(mark, secret)
            places = [0, *(cut for cut in cuts if cut < len(data)), len(data)]
            pieces = [data[a:b] for a, b in itertools.pairwise(places) if a < b]
            # Bad keys close the door to their address for a while, so each few cases come from another.
            source = f"127.{1 + number // 4_000 % 200}.{number // 20 % 200}.{1 + number % 20}"
            received, ended = await _talk(port, source, pieces, waits=waits)
            statuses = reading.answers(received, reading.requests(data)[2]) or [0]
            report.saw("sockets", statuses[0])
            why = problem(data, received, ended=ended)
            if why:
                report.keep("sockets", data, why)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


def run(port: int, key: str, admin_token: str, cases: int, seed: int, report: Report) -> None:
    secrets = {b"%KEY%": key.encode(), b"%ADMIN%": admin_token.encode()}
    asyncio.run(_run(port, secrets, cases, seed, report))
