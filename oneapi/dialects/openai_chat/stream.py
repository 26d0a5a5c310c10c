"""The stream of a chat completion.

    stream := chunk* usage? "[DONE]"

Usage comes in a last chunk without choices, or on any chunk (vendors differ; the last one told counts). When the client
did not ask for it, the chunk that has nothing else is dropped. Some vendors leave `[DONE]` out: a stream that ends
behind a chunk whose choices have all finished is whole.
"""

from typing import Any

import msgspec

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.meter import UNNAMED_ERROR, SseMeter
from oneapi.dialects.openai_chat.usage import buckets
from oneapi.dialects.openai_errors import error_object

DONE = b"[DONE]"


# What vendors write in other types than OpenAI is `Any`: a client may still understand it, and it is counted or not.
class _Function(msgspec.Struct, gc=False):
    name: Any = None
    arguments: Any = None


class _ToolCall(msgspec.Struct, gc=False):
    function: _Function | None = None
    custom: Any = None


class _Delta(msgspec.Struct, gc=False):
    content: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None
    audio: Any = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    text: Any = None
    finish_reason: Any = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    x_groq: Any = None


_decoder = msgspec.json.Decoder(_Chunk)


class ChatMeter(SseMeter):
    """Meters one stream of chunks."""

    def read(self, data: bytes) -> bool:
        """See `StreamMeter`."""
        if data[:6] == DONE:
            self.finished = True
            return True
        chunk = _decoder.decode(data)
        if chunk.error or chunk.usage or chunk.x_groq:
            self._read_rest(chunk)
            if self.error is not None:
                return False
        if not chunk.choices:
            return self._forward_usage or not chunk.usage
        for choice in chunk.choices:
            delta = choice.delta
            if delta is not None:
                if delta.content:
                    self._saw_content(delta.content)
                if delta.tool_calls or delta.function_call is not None:
                    self._saw_calls(delta)
                # Some vendors say the same in both fields.
                reasoning = delta.reasoning_content or delta.reasoning
                if reasoning:
                    self.saw(reasoning)
                if delta.refusal:
                    self.saw(delta.refusal)
                if delta.audio is not None:
                    self._saw_audio(delta.audio)
            if choice.text:
                self.saw(choice.text)
            self._complete = choice.finish_reason is not None
            if self._complete:
                self.started = True
        return True

    def finish_bytes(self, error: GatewayError, request_id: str = "") -> bytes:
        """See `StreamMeter`. A chunk that has nothing but `error`, as the SDKs look for it; no `[DONE]` follows."""
        del request_id
        return b"data: " + msgspec.json.encode({"error": error_object(error)}) + b"\n\n"

    def _read_rest(self, chunk: _Chunk) -> None:
        usage = chunk.usage or (chunk.x_groq.get("usage") if isinstance(chunk.x_groq, dict) else None)
        if isinstance(usage, dict):
            self.usage = buckets(usage) or self.usage
        if chunk.error:
            self.error = code_and_message(chunk.error)

    def _saw_content(self, content: Any) -> None:
        if isinstance(content, str):
            self.started = True
            self.text_bytes += len(content) if content.isascii() else len(content.encode("utf-8", "surrogatepass"))
        elif isinstance(content, list):
            self._saw_parts(content)

    def _saw_calls(self, delta: _Delta) -> None:
        self.started = True
        for call in delta.tool_calls or ():
            if call.function is not None:
                self._saw_function(call.function)
            if isinstance(call.custom, dict):
                self.saw(call.custom.get("name"))
                self.saw(call.custom.get("input"))
        if delta.function_call is not None:
            self._saw_function(delta.function_call)

    def _saw_function(self, function: _Function) -> None:
        self.saw(function.name)
        arguments = function.arguments
        # Some servers send the arguments as the object that they stand for.
        self.saw(msgspec.json.encode(arguments).decode() if isinstance(arguments, dict) else arguments)

    def _saw_audio(self, audio: Any) -> None:
        self.started = True
        if isinstance(audio, dict):
            self.saw(audio.get("transcript"))

    def _saw_parts(self, parts: list[Any]) -> None:
        """Mistral's content may be a list of parts, thinking nested in them."""
        for item in parts:
            if isinstance(item, dict):
                self.saw(item.get("text"))
                inner = item.get("thinking")
                if isinstance(inner, list):
                    self._saw_parts(inner)


def code_and_message(error: Any) -> tuple[str, str]:
    """An error chunk's."""
    if isinstance(error, dict):
        return str(error.get("code") or error.get("type") or UNNAMED_ERROR), str(error.get("message") or "")
    return UNNAMED_ERROR, error if isinstance(error, str) else ""
