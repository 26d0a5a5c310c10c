"""What is known of a request when it has come through the door.

It decides the names by which a request is told about, and must not know what it asks for.
"""

import msgspec

from oneapi.runtime.door.head import Head, HeadReader

RELAYED_HEADERS = (b"openai-beta", b"anthropic-version", b"anthropic-beta")
"""The client's headers that an upstream may see. Everything else stays here: an idempotency key, for one, is the
client's own, and two clients' keys would meet in one provider account."""
_OF_ANTHROPIC = "anthropic-version"
_OF_GOOGLE = "x-goog-api-client"

STRICT_HEADER = b"x-oneapi-strict"
_STRICT = STRICT_HEADER.decode()

read_head = HeadReader(
    relayed=(*RELAYED_HEADERS, STRICT_HEADER, _OF_GOOGLE.encode()), lists=(b"openai-beta", b"anthropic-beta")
)


def is_anthropic(head: Head) -> bool:
    """Whether the client says that it is one of Anthropic's."""
    return any(name == _OF_ANTHROPIC for name, _ in head.relayed)


class Arrival(msgspec.Struct, frozen=True):
    """`address` is the client's, `started_s` a reading of `time.perf_counter`, `scheme` what the client used."""

    request_id: str
    raw_path: bytes
    head: Head
    address: str
    scheme: str
    started_s: float

    @property
    def anthropic(self) -> bool:
        """Whether the client says that it is one of Anthropic's."""
        return is_anthropic(self.head)

    @property
    def google(self) -> bool:
        """Whether the client says that it is one of Google's."""
        return any(name == _OF_GOOGLE for name, _ in self.head.relayed)

    @property
    def strict(self) -> str:
        """What the client says of losses; "" when nothing."""
        return next((value for name, value in self.head.relayed if name == _STRICT), "")
