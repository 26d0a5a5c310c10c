from services.edge.load import Load
from services.edge.shedding import Shedding

CHAT = b"/v1/chat/completions"


def full() -> Load:
    load = Load(1)
    load.enter()
    return load


def test_everything_is_served_while_there_is_room() -> None:
    assert Shedding(Load(1)).shed(CHAT) == b""


def test_what_is_shed_is_told_when_to_come_back_and_keeps_its_connection() -> None:
    shedding = Shedding(full())
    first, second = (shedding.shed(CHAT) for _ in range(2))
    head, _, body = first.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 503 Service Unavailable"
    assert b"retry-after: 2" in lines
    assert b"connection: keep-alive" in lines
    assert b"content-length: %d" % len(body) in lines
    assert b'"code":"overloaded"' in body
    assert first != second
    assert len(first) == len(second)


def test_each_target_has_its_own_format() -> None:
    shedding = Shedding(full())
    assert b'{"type":"error"' in shedding.shed(b"/v1/messages")
    assert b'{"type":"error"' not in shedding.shed(CHAT)


def test_a_query_is_not_kept() -> None:
    shedding = Shedding(full())
    assert b'"status":"UNAVAILABLE"' in shedding.shed(b"/v1beta/models/m:generateContent?key=sk-a")
    assert shedding.shed(b"/v1beta/models/m:generateContent?key=sk-b")
    assert list(shedding._written) == [b"/v1beta/models/m:generateContent"]


def test_the_request_id_is_in_head_and_body() -> None:
    answer = Shedding(full()).shed(b"/v1/messages?beta=true")
    head, _, body = answer.partition(b"\r\n\r\n")
    request_id = head.split(b"x-request-id: ")[1].split(b"\r\n")[0]
    assert request_id in body


def test_health_is_always_answered_and_a_drain_is_not_an_overload() -> None:
    load = full()
    assert Shedding(load).shed(b"/readyz") == b""
    load.draining = True
    assert Shedding(load).shed(CHAT) == b""


def test_the_date_is_that_of_the_moment_and_what_is_kept_is_bounded() -> None:
    now = 1_000.0
    shedding = Shedding(full(), lambda: now)
    for number in range(200):
        assert shedding.shed(b"/v1/%d" % number)
    now += 1
    assert shedding.shed(CHAT)
