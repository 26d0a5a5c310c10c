"""What the client is told of a response that is stored."""

from typing import Any

import msgspec

from oneapi.dialects.openai_responses.shown import Shown

OURS = "resp_" + "0" * 32


def event(kind: str, **value: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + msgspec.json.encode({"type": kind, **value}) + b"\n\n"


def read(data: bytes) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.json.decode(data.partition(b"data: ")[2])
    return value


def test_a_stream_has_our_id_and_its_end_is_held() -> None:
    shown = Shown(id=OURS, previous="resp_p")
    theirs = {"id": "resp_theirs", "store": False, "status": "in_progress"}
    begun = read(shown.stream(event("response.created", response=theirs, sequence_number=0)))
    assert begun["response"] == {
        **theirs, "id": OURS, "store": True, "previous_response_id": "resp_p", "conversation": None, "background": False
    }  # fmt: skip
    assert begun["sequence_number"] == 0
    delta = event("response.output_text.delta", delta='it says "response": {}')
    assert shown.stream(delta) is delta
    done = event("response.output_item.done", item={"text": 'the "response"'})
    ended = {**theirs, "status": "completed", "output": []}
    assert shown.stream(done + event("response.completed", response=ended, sequence_number=9)) == done
    assert shown.response is not None
    for kept in (True, False):
        last = read(shown.end(kept=kept))
        assert (last["type"], last["sequence_number"]) == ("response.completed", 9)
        assert (last["response"]["id"], last["response"]["store"]) == (OURS, kept)


def test_nothing_goes_before_the_end_that_is_held() -> None:
    shown = Shown(id=OURS)
    ended = event("response.completed", response={"id": "resp_theirs", "status": "completed"})
    assert shown.stream(ended + b"data: [DONE]\n\n") == b""
    assert read(shown.end(kept=True))["type"] == "response.completed"
    failed = event("response.failed", response={"id": "resp_theirs", "status": "failed"})
    assert read(shown.stream(failed))["type"] == "response.failed"


def test_one_that_goes_on_and_is_not_stored_keeps_its_id() -> None:
    shown = Shown(conversation="conv_1")
    value = read(shown.stream(event("response.created", response={"id": "resp_theirs"})))
    assert value["response"]["id"] == "resp_theirs"
    assert value["response"]["store"] is False
    assert value["response"]["conversation"] == {"id": "conv_1"}


def test_a_failure_is_not_held_and_not_stored() -> None:
    shown = Shown(id=OURS)
    value = read(shown.stream(event("response.failed", response={"id": "resp_theirs", "status": "failed"})))
    assert (value["response"]["id"], value["response"]["store"]) == (OURS, False)
    assert shown.response is None
    assert shown.end(kept=False) == b""


def test_whole_answers() -> None:
    shown = Shown(id=OURS)
    assert shown.whole(b'{"id":"resp_theirs","status":"completed"}')
    assert msgspec.json.decode(shown.end(kept=True))["id"] == OURS
    for body in (b"{", b"[]"):
        assert not Shown(id=OURS).whole(body)


def test_what_cannot_be_read_goes_on() -> None:
    shown = Shown(id=OURS)
    for data in (b'data: {"response": \n\n', b'data: "response"\n\n', event("x", response=[1])):
        assert shown.stream(data) == data
