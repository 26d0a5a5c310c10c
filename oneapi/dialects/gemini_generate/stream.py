"""The stream of an answer: every event is a whole answer with the parts that are new.

    stream := answer*

There is no end of its own: it is whole when it ends behind an answer that has a finishReason, or that says why the
prompt was blocked. Usage is in every answer, and the last one counts.
"""

import re
from typing import Any

import msgspec

from oneapi.dialects.canonical.reading import member, objects, string
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.gemini_generate.errors import error_body
from oneapi.dialects.gemini_generate.usage import buckets, searches
from oneapi.dialects.meter import UNNAMED_ERROR, SseMeter
from oneapi.dialects.sse import MAX_LINE_BYTES, MEDIA_LINE_BYTES, Splitter


class Chunk(msgspec.Struct, gc=False):
    """One answer of a stream."""

    candidates: list[Any] | None = None
    promptFeedback: Any = None  # noqa: N815
    usageMetadata: Any = None  # noqa: N815
    modelVersion: Any = None  # noqa: N815
    responseId: Any = None  # noqa: N815
    error: Any = None


CHUNKS = msgspec.json.Decoder(Chunk)


def code_and_message(error: Any) -> tuple[str, str]:
    """An error's."""
    status = member(error, "status") or member(error, "code")
    return str(status or UNNAMED_ERROR), string(member(error, "message"))


BLANK = b"\n\n"
"""Says nothing: Google's SDKs pass over empty lines, while some fail at a comment."""
_BARE = re.compile(rb"(?:data: (?![ \t\v\f]*+[\r\n])[^\r\n]*+(?:\r\n\r\n|\n\n))*+")


def bare(events: bytes, *, begun: bool = False) -> bytes:
    """Whole events with a line of data each and nothing else: Google's SDKs take any other line for JSON, and fail at
    data that is blank. With `begun` others of their stream stood before them."""
    if len(events) > MAX_LINE_BYTES and _is_one_line(events):
        return events
    if _BARE.fullmatch(events):
        return events
    splitter = Splitter(MEDIA_LINE_BYTES, len(events))
    splitter.begun = begun
    found = [*splitter.feed(events), *splitter.end()]
    return b"".join(b"data: %b\n\n" % event.data.replace(b"\n", b" ") for event in found if event.data.strip())


def _is_one_line(events: bytes) -> bool:
    """Whether this is one event in the usual form; for a picture the pattern is slow."""
    line = events.removesuffix(b"\r\n\r\n").removesuffix(b"\n\n")
    return line[:6] == b"data: " and b"\n" not in line and b"\r" not in line and not line[6:].isspace()


class GeminiMeter(SseMeter):
    """Meters one stream of answers."""

    def __init__(self, *, forward_usage: bool = True) -> None:
        super().__init__(forward_usage=forward_usage)
        self._searches = 0

    @property
    def keep_alive(self) -> bytes:
        """See `StreamMeter`."""
        return BLANK

    def feed(self, data: bytes) -> bytes:
        """See `StreamMeter`; neither comments nor names of events go on."""
        begun = self._splitter.begun
        return bare(super().feed(data), begun=begun)

    def end(self) -> bytes:
        """See `StreamMeter`."""
        begun = self._splitter.begun
        return bare(super().end(), begun=begun)

    def read(self, data: bytes) -> bool:
        """See `StreamMeter`."""
        chunk = CHUNKS.decode(data)
        if chunk.error:
            self.error = code_and_message(chunk.error)
            return False
        if isinstance(chunk.usageMetadata, dict):
            self.usage = buckets(chunk.usageMetadata) or self.usage
        self._searches = searches(chunk.candidates) or self._searches
        if self.usage is not None and self._searches:
            self.usage = {**self.usage, "search": self._searches}
        for candidate in objects(chunk.candidates):
            for part in objects(member(candidate.get("content"), "parts")):
                self._saw_part(part)
            if candidate.get("finishReason") is not None:
                self._complete = self.started = True
        if member(chunk.promptFeedback, "blockReason"):
            self._complete = self.started = True
        return True

    def finish_bytes(self, error: GatewayError, request_id: str = "") -> bytes:
        """See `StreamMeter`. An event with `error` alone, which Google's SDKs raise."""
        return b"data: " + error_body(error, request_id) + b"\n\n"

    def _saw_part(self, part: dict[str, Any]) -> None:
        text = part.get("text")
        if text is not None:
            self.saw(text)
            return
        for name in ("functionCall", "executableCode", "codeExecutionResult", "toolCall"):
            inner = part.get(name)
            if isinstance(inner, dict):
                self.started = True
                for told in ("name", "code", "output"):
                    self.saw(inner.get(told))
                for told in ("args", "partialArgs"):
                    if inner.get(told):
                        self.saw(msgspec.json.encode(inner[told]).decode())
        self.started = self.started or "inlineData" in part
