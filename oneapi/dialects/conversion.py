"""One request of a client in one format, served by an upstream that speaks another.

    asked = read_request("anthropic_messages", body_as_object, secret)              # once for a request
    conversion = Conversion(asked, Upstream("openai_chat", "gpt-5"), seed=…, created=…)   # once for an attempt
    conversion.body                      # the upstream's request
    conversion.losses                    # what could not be carried
    conversion.response(answer)          # a whole answer for the client, and its usage
    conversion.stream()                  # or a stream's converter, used like any `StreamMeter`
    conversion.refusal(status, answer)   # an upstream's refusal, for the caller to clean and to judge

It decides the order of the steps between two formats. It must not know any format's fields, nor where bytes come from.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import msgspec

from oneapi.dialects.canonical import json_tool
from oneapi.dialects.canonical.call_ids import UniqueCalls, told_apart
from oneapi.dialects.canonical.context import Answering, Sending
from oneapi.dialects.canonical.events import Event, MessageEnd, PartDelta, PartStart, UsageTold
from oneapi.dialects.canonical.json_tool import JsonTool
from oneapi.dialects.canonical.losses import Loss, Losses, told
from oneapi.dialects.canonical.naming import Names
from oneapi.dialects.canonical.order import Order
from oneapi.dialects.canonical.parts import Opaque, ToolCall
from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.canonical.renaming import Renaming, renamed
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.responses import Response
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.canonical.stopping import Stopping, stopped
from oneapi.dialects.canonical.turns import check_pairs
from oneapi.dialects.codec import CODECS, StreamDecoder, StreamEncoder
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.framing import Framing
from oneapi.dialects.meter import MALFORMED, StreamMeter
from oneapi.dialects.registry import DIALECTS
from oneapi.dialects.request import refuse
from oneapi.dialects.upstreams import UPSTREAMS
from oneapi.dialects.usage import UNREADABLE, Usage

_MAX_PING_BYTES = 48
_PING = re.compile(rb'\{\s*"(?:ping|keepalive)"|"(?:type|event)"\s*:\s*"(?:ping|keepalive)"')


class ClientRequest(msgspec.Struct, frozen=True):
    """A client's request, read once: its JSON as it came, and in the one model."""

    dialect: str
    raw: dict[str, Any]
    request: Request


class Upstream(msgspec.Struct, frozen=True):
    """Who answers: the format it speaks, its name of the model, what that model can do.

    `origin` names the upstream as far as its state is concerned (channel and model): reasoning that a client brings
    back goes to the origin that it came from, and to nobody else.
    """

    dialect: str
    model: str
    origin: str = ""
    profile: Profile = Profile()


class Converted(msgspec.Struct, frozen=True):
    """A whole answer for the client. `usage` is the provider's own, None when it told none."""

    body: bytes
    usage: Usage | None


def upstream_dialects(client: str) -> tuple[str, ...]:
    """The formats that requests in the client's can be served in: its own, then those it can be converted to."""
    return (client, *(name for name in UPSTREAMS if name != client)) if client in CODECS else (client,)


def read_request(dialect: str, raw: dict[str, Any], secret: bytes, previous: Sequence[bytes] = ()) -> ClientRequest:
    """Reads a client's request. `secret` opens what earlier answers sealed, and so do those that were used before it.

    Raises GatewayError 400 for what is no conversation of this format. `raw` isn't changed, now or later.
    """
    return ClientRequest(dialect, raw, CODECS[dialect].decode_request(raw, Seal(secret, "", previous)))


class Conversion:
    """One attempt to have a client's request served by one upstream of another format.

    `seed` makes the answer's ids (letters and digits, at most 40), `created` is the time in seconds that it tells.
    `max_output` bounds the upstream's output below what the client asked, or where it asked nothing. `prompt_tokens` is
    an estimate of the input, which streams of Messages tell before the provider does. With `strict` any loss is a
    refusal.

    Raises GatewayError 400: for what this upstream can't be asked at all (`unsupported_parameter`), for a loss when
    `strict` (`conversion_loss`), for tool results without their calls and the other way round.
    """

    def __init__(
        self,
        asked: ClientRequest,
        upstream: Upstream,
        *,
        secret: bytes,
        seed: str,
        created: int,
        prompt_tokens: int = 0,
        max_output: int | None = None,
        strict: bool = False,
    ) -> None:
        self._asked = asked
        self._client, self._upstream = CODECS[asked.dialect], UPSTREAMS[upstream.dialect]
        self._losses = Losses()
        seal = Seal(secret, upstream.origin)
        self._answering = Answering(seed, created, seal, asked.request, asked.raw, self._losses, prompt_tokens)
        self._names: Names | None = None
        self._json_tool = False
        self._stops: Sequence[str] = ()
        request = asked.request
        if self._client is not self._upstream:
            request = self._fitted(request, upstream.profile)
        sending = Sending(upstream.model, upstream.profile, seal, self._losses, max_output)
        self.body: bytes = msgspec.json.encode(self._upstream.encode_request(request, sending))
        """The upstream's request."""
        if strict and self._losses.found:
            raise lossy(self._losses.found)

    @property
    def losses(self) -> list[Loss]:
        """What could not be carried: of the request at once, of the answer once it has been converted."""
        return self._losses.found

    def _fitted(self, request: Request, profile: Profile) -> Request:
        """The request with what the upstream's format or model lacks done here."""
        check_pairs(request.messages)
        codec = self._upstream
        if len(request.stop) > codec.stop_limit:
            self._stops = request.stop
        if request.output is not None and (
            not profile.native_schema
            or (request.output.schema is None and not codec.json_object)
            or (request.tools and not codec.schema_beside_tools)
        ):
            request, self._json_tool = json_tool.with_tool(request), True
        custom = codec.custom_tools or profile.custom_tools
        names = Names(request, limit=codec.tool_name_limit, namespaces=codec.namespaces, custom=custom)
        self._names = names if names.changed else None
        return names.outgoing(request)

    def response(self, body: bytes) -> Converted:
        """A whole answer of the upstream's, for the client.

        Raises GatewayError 502 for what is no answer of the upstream's format, or says that it failed.
        """
        try:
            raw = msgspec.json.decode(body)
        except UNREADABLE:
            raise _unreadable() from None
        if not isinstance(raw, dict):
            raise _unreadable()
        try:
            response = self._upstream.decode_response(raw)
        except GatewayError as error:
            # What would be a client's mistake in a request is the upstream's in an answer.
            raise error if error.status != 400 else _unreadable() from None
        if self._client is self._upstream:
            return Converted(body, response.usage)
        if not response.choices:
            raise _unreadable()
        return Converted(
            msgspec.json.encode(self._client.encode_response(self._shown(response), self._answering)), response.usage
        )

    def _shown(self, response: Response) -> Response:
        if self._stops:
            stopped(response, self._stops)
        if self._json_tool:
            json_tool.unwrapped(response)
        told_apart(response)
        return renamed(response, self._names) if self._names is not None else response

    def stream(self) -> StreamMeter:
        """The converter of one stream: feed it the upstream's bytes, send on what it returns. One for each attempt.

        It has everything that a meter has, with the same rules: `usage`, `text_bytes`, `started`, `finished`, `error`,
        `input_told`, `finish_bytes`. Where client and upstream speak the same format it is that format's meter.
        """
        if self._client is self._upstream:
            meter = DIALECTS[self._client.name].meter
            if meter is None:
                raise TypeError(self._client.name)
            return meter(forward_usage=self._asked.request.include_usage)
        steps: list[Step] = []
        stopping = Stopping(self._stops) if self._stops else None
        if stopping is not None:
            steps.append(stopping)
        if self._json_tool:
            steps.append(JsonTool())
        if self._names is not None:
            steps.append(Renaming(self._names))
        steps += (UniqueCalls(), Order())
        encoder = self._client.stream_encoder(self._answering)
        framing, decoder = self._upstream.framing(), self._upstream.stream_decoder()
        signs = (self._client.comment, self._client.keep_alive)
        return StreamConverter(framing, decoder, steps, encoder, stopping, signs)

    def refusal(self, status: int, body: bytes) -> GatewayError | None:
        """The upstream's own error: its words are neither cleaned nor judged. None when there is none in the body."""
        return self._upstream.decode_error(status, body)


class Step(Protocol):
    """Something that events pass through."""

    def put(self, events: list[Event]) -> list[Event]: ...


class StreamConverter(StreamMeter):
    """A meter whose stream leaves in another format.

    What it returns depends on the upstream's events alone, not on how their bytes were cut. After `finished` or `error`
    it returns nothing more.
    """

    def __init__(
        self,
        framing: Framing,
        decoder: StreamDecoder,
        steps: Sequence[Step],
        encoder: StreamEncoder,
        stopping: Stopping | None,
        signs: tuple[bytes, bytes],
    ) -> None:
        super().__init__()
        self._framing = framing
        self._decoder = decoder
        self._steps = steps
        self._encoder = encoder
        self._stopping = stopping
        self._comment, self._sign = signs

    @property
    def cut(self) -> bool:
        """See `StreamMeter`."""
        return self._stopping is not None and self._stopping.cut

    @property
    def whole(self) -> bool:
        """See `StreamMeter`."""
        told = self.usage is not None and self.error is None
        return told and self._decoder.whole and not self._framing.pending

    @property
    def keep_alive(self) -> bytes:
        """See `StreamMeter`."""
        return self._sign if self.started else self._comment

    @property
    def input_told(self) -> Usage:
        """See `StreamMeter`."""
        return self._decoder.input_told

    def feed(self, data: bytes) -> bytes:
        """What goes to the client of what has arrived. Never raises for what an upstream sends."""
        if self.error is not None or self.finished:
            return b""
        return self._convert_all(self._framing.feed(data))

    def end(self) -> bytes:
        """The upstream's stream is over: what still goes to the client."""
        if self.error is not None or self.finished:
            return b""
        left = self._convert_all(self._framing.end())
        return left if self.finished or self.error is not None else left + self._take(self._decoder.end())

    def _convert_all(self, events: list[bytes]) -> bytes:
        if len(events) == 1 and not self._framing.broken:
            return self._convert(events[0])
        out = bytearray()
        for data in events:
            out += self._convert(data)
            if self.error is not None or self.finished:
                return bytes(out)
        if self._framing.broken:
            self.error = MALFORMED
        return bytes(out)

    def _convert(self, data: bytes) -> bytes:
        if not data or (len(data) < _MAX_PING_BYTES and _PING.search(data)):
            return self._comment
        try:
            events = self._decoder.read(data)
        except (*UNREADABLE, GatewayError):
            self.error = MALFORMED
            return b""
        return self._take(events)

    def _take(self, events: list[Event]) -> bytes:
        """Counts the events and writes them. Those that came with an error only tell what was used."""
        failed = self._decoder.error
        if failed is not None:
            self.error = failed
            events = [event for event in events if isinstance(event, UsageTold)]
        if not events:
            self.finished = self._decoder.finished
            return b""
        for event in events:
            if isinstance(event, UsageTold):
                self.usage = event.usage
        for step in self._steps:
            events = step.put(events)
        for event in events:
            if type(event) is PartDelta:
                self.saw(event.text)
            elif isinstance(event, PartStart):
                if isinstance(event.part, ToolCall):
                    self.saw(event.part.name)
                self.started = self.started or isinstance(event.part, ToolCall | Opaque)
            elif isinstance(event, MessageEnd):
                self.started = True
        self.finished = self._decoder.finished or self.cut
        return self._encoder.write(events)

    def finish_bytes(self, error: GatewayError, request_id: str = "") -> bytes:
        """See `StreamMeter`: in the client's format, with what was told before."""
        return self._encoder.fail(error, request_id)


def lossy(losses: Iterable[Loss]) -> GatewayError:
    """The refusal of a request that loses something, where its client wants none of that."""
    names = ", ".join(told(losses))
    return refuse(f"The request can't be carried whole to this model: {names}.", code="conversion_loss")


def _unreadable() -> GatewayError:
    return GatewayError(502, "upstream", "malformed_answer", "The upstream sent an answer that can't be read.")
