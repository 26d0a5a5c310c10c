import json

from oneapi.runtime.door import refusals
from oneapi.runtime.door.answers import phrase, small_json, whole_answer


def test_an_answer_is_whole() -> None:
    for keep, connection in ((False, b"close"), (True, b"keep-alive")):
        head, _, body = whole_answer(404, [(b"x-a", b"1")], b"gone", keep=keep).partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[0] == b"HTTP/1.1 404 Not Found"
        assert {b"x-a: 1", b"content-length: 4", b"connection: " + connection} <= set(lines)
        assert body == b"gone"


def test_the_plainest_error() -> None:
    head, _, body = small_json(b"/x", refusals.overloaded()).partition(b"\r\n\r\n")
    assert b"retry-after: 2" in head.split(b"\r\n")
    assert json.loads(body)["code"] == "overloaded"
    assert b"retry-after" not in small_json(b"/x", refusals.malformed_request())


def test_a_status_without_words() -> None:
    assert phrase(299) == "Error"
