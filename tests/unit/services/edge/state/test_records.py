"""Keys of what is stored, and bounds of what clients label it with."""

import re

import pytest

from oneapi.dialects.errors import GatewayError
from services.edge.state.conversations import read_items, read_metadata
from services.edge.state.records import CONVERSATION, RESPONSE, Conversation, Place, is_id, pointer_key, segment_of

SEED = "0" * 32


def test_only_ids_made_here_become_keys() -> None:
    assert is_id(f"resp_{SEED}", RESPONSE)
    assert not is_id(f"resp_{SEED}", CONVERSATION)
    for text in (
        "resp_1",
        f"resp_{SEED}.1",
        f"resp_{SEED}\n",
        f"resp_{'G' * 32}",
        f"seg_{SEED}",
        "resp_*",
        "",
        None,
        7,
    ):
        assert not is_id(text, RESPONSE)
    assert segment_of(f"resp_{SEED}") == f"seg_{SEED}"
    assert re.fullmatch(r"item_[0-9a-f]{32}", pointer_key("msg_>.*\ud800"))


def test_a_conversation_is_as_large_as_its_segments() -> None:
    head = Conversation(1, {}, [Place("seg_1", ["a", "b"], 5), Place("seg_2", ["c"], 2)])
    assert (head.size, head.count, head.keys) == (7, 3, ["seg_1", "seg_2"])


@pytest.mark.parametrize(
    "value", [[], "a", {"a": 1}, {"a": "b" * 513}, {"a" * 65: "b"}, {str(n): "" for n in range(17)}]
)
def test_bad_metadata(value: object) -> None:
    with pytest.raises(GatewayError):
        read_metadata(value)


def test_good_metadata() -> None:
    assert read_metadata(None) == {}
    assert read_metadata({"a": "b"}) == {"a": "b"}


@pytest.mark.parametrize("value", [None, [], "a", [1], [{}] * 21, [{"type": "item_reference", "id": "msg_1"}]])
def test_bad_items(value: object) -> None:
    with pytest.raises(GatewayError):
        read_items(value, needed=True)


def test_good_items() -> None:
    assert read_items(None, needed=False) == []
    assert read_items([{"role": "user"}], needed=True) == [{"role": "user"}]
