"""The records of stored responses and conversations, as they are written before they are sealed.

It decides their fields and their keys, and must not know where they are kept. A segment is what one request and its
answer said, a turn is a response and the segments before it, a conversation lists its segments. What goes on from them
reads segments only, as responses repeat much that their clients have sent. Turns are written once, and so are segments,
but for items that are taken out.
"""

import hashlib
import re
from typing import Any

import msgspec

RESPONSE = "resp_"
SEGMENT = "seg_"
CONVERSATION = "conv_"
_ITEM = "item_"
_OWN = re.compile(r"(?:resp|conv)_[0-9a-f]{32}")


class Segment(msgspec.Struct):
    """What one request and its answer said: the items of a turn, or what was added to a conversation.

    `origin` names the upstream that answered, as far as what it wants back is concerned.
    """

    input: list[dict[str, Any]]
    output: list[dict[str, Any]] = []
    origin: str = ""

    @property
    def items(self) -> list[dict[str, Any]]:
        """What it says to a later turn."""
        return [*self.input, *self.output]


class Turn(msgspec.Struct):
    """A response as its client got it. Its segment has the same number in its key.

    `earlier` are the segments before it, the first one first; `size` is the bytes of all their items and its own.
    `conversation` is the one that its segment belongs to, if any.
    """

    response: dict[str, Any]
    earlier: list[str]
    size: int
    conversation: str = ""


class Place(msgspec.Struct):
    """Where some of a conversation's items are: the segment, their ids, their bytes."""

    segment: str
    ids: list[str]
    size: int


class Conversation(msgspec.Struct):
    """A conversation's head."""

    created_at: int
    metadata: dict[str, str]
    places: list[Place] = []

    @property
    def keys(self) -> list[str]:
        """Of its segments."""
        return [place.segment for place in self.places]

    @property
    def size(self) -> int:
        return sum(place.size for place in self.places)

    @property
    def count(self) -> int:
        return sum(len(place.ids) for place in self.places)


class Pointer(msgspec.Struct):
    """Where an item is whose id says nothing of that."""

    segment: str


def is_id(text: object, kind: str) -> bool:
    """Whether this can be the id of a response or a conversation. Nothing else becomes part of a key."""
    return isinstance(text, str) and text.startswith(kind) and _OWN.fullmatch(text) is not None


def pointer_key(item_id: str) -> str:
    """The key of an item's pointer; the id is the client's or an upstream's own text."""
    return _ITEM + hashlib.sha256(item_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def segment_of(response_id: str) -> str:
    """The key of a response's segment."""
    return SEGMENT + response_id.removeprefix(RESPONSE)


def ids_of(items: list[dict[str, Any]]) -> set[str]:
    """The ids of items."""
    return {str(item.get("id", "")) for item in items}


def items_size(items: list[dict[str, Any]]) -> int:
    """Bytes of items, as a request's body would hold them."""
    return len(msgspec.json.encode(items))
