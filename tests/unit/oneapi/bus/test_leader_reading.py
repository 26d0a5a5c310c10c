"""Subjects come in pages, from a server that the test plays."""

from types import SimpleNamespace
from typing import Any

import msgspec
import nats.errors
import pytest

from oneapi.bus import leader_reading
from oneapi.bus.leader_reading import NoLeaderAnswered


class Server:
    """A stream with so many subjects, of which a page has `size`; it is JetStream and the connection as well."""

    def __init__(self, subjects: int, size: int) -> None:
        self.subjects = [f"$KV.b.k{number}" for number in range(subjects)]
        self.size = size
        self.is_connected = True
        self.answer: bytes | None = None
        self.asked: list[dict[str, Any]] = []
        self._prefix = "$JS.API"
        self._nc = self

    async def request(self, subject: str, payload: bytes, timeout: float) -> Any:
        assert subject == "$JS.API.STREAM.INFO.KV_b"
        assert timeout
        request = msgspec.json.decode(payload)
        self.asked.append(request)
        page = self.subjects[request.get("offset", 0) :][: self.size]
        counts = {
            "first_seq": 1,
            "last_seq": 9,
            "num_subjects": len(self.subjects),
            "subjects": dict.fromkeys(page, 1) or None,
        }
        whole = msgspec.json.encode({"state": counts, "total": len(self.subjects), "config": {}})
        return SimpleNamespace(data=whole if self.answer is None else self.answer)


@pytest.mark.parametrize(("subjects", "asked"), [(0, 1), (1, 1), (3, 1), (4, 2), (6, 2), (7, 3)])
async def test_all_pages(subjects: int, asked: int) -> None:
    server = Server(subjects, 3)
    assert await leader_reading.names(server, "b") == {f"k{number}" for number in range(subjects)}  # type: ignore[arg-type]
    assert [request["offset"] for request in server.asked] == list(range(0, asked * 3, 3))
    assert {request["subjects_filter"] for request in server.asked} == {"$KV.b.>"}


async def test_a_list_that_shrinks_meanwhile_ends() -> None:
    server = Server(7, 3)
    found = []
    async for page in leader_reading.pages(server, "KV_b", "$KV.b.>"):  # type: ignore[arg-type]
        found.append(len(page.subjects or ()))
        server.subjects = server.subjects[:3]
    assert found == [3, 0]


STATE = b'"state": {"first_seq": 1, "last_seq": 9}'


async def test_an_answer_names_the_leader_or_has_no_cluster() -> None:
    server = Server(1, 3)
    for cluster in (b"", b', "cluster": {"leader": "n1"}'):
        server.answer = b"{" + STATE + cluster + b"}"
        assert (await leader_reading.state(server, "KV_b")).last_seq == 9  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answer",
    [
        b'{"error": {"code": 404, "description": "stream not found"}}',
        b"{" + STATE + b', "cluster": {"name": "c", "replicas": []}}',
        b"{}",
        b"",
        b"[]",
    ],
)
async def test_an_answer_that_says_something_else(answer: bytes) -> None:
    server = Server(1, 3)
    server.answer = answer
    with pytest.raises(NoLeaderAnswered):
        await leader_reading.names(server, "b")  # type: ignore[arg-type]


async def test_without_a_connection_nothing_is_asked() -> None:
    server = Server(1, 3)
    server.is_connected = False
    with pytest.raises(nats.errors.ConnectionReconnectingError):
        await leader_reading.names(server, "b")  # type: ignore[arg-type]
    assert not server.asked
