"""A whole request, both ways.

Source: Google's Gemini API reference, "Generating content". The model's name and whether to stream stand in the
address; `oneapi.dialects.gemini_generate.request` puts them beside the body's fields. A request of this same format is
repeated as it came, since each of its names has two spellings. It must not know the other formats.
"""

from typing import Any

from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.reading import Fields
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.gemini_generate.contents import decode_contents, decode_instruction, encode_contents
from oneapi.dialects.gemini_generate.settings import decode_config, decode_outside, encode_settings, take_sampling
from oneapi.dialects.gemini_generate.signatures import NAME
from oneapi.dialects.gemini_generate.spelling import camel
from oneapi.dialects.gemini_generate.tools import decode_choice, decode_tools, encode_tools
from oneapi.dialects.request import refuse

IN_PATH = frozenset({"model", "stream"})
_CALLING = "functionCallingConfig"


def decode_request(raw: dict[str, Any], seal: Seal) -> Request:
    """Raises GatewayError 400 for what is no conversation."""
    fields = Fields(camel(raw))
    model, contents = fields.text("model"), fields.items("contents")
    if not model or contents is None:
        raise refuse("'model' and 'contents' are needed.", "contents" if model else "model")
    instruction = decode_instruction(fields.rest.pop("systemInstruction", None), seal)
    tools = decode_tools(fields.items("tools"))
    tool_config = fields.object("toolConfig") or {}
    request = Request(
        dialect=NAME,
        model=model,
        messages=[*([instruction] if instruction is not None else []), *decode_contents(contents, seal)],
        tools=tools,
        tool_choice=decode_choice(tool_config, tools),
        stream=fields.flag("stream") or False,
        include_usage=True,
        kept={name: value for name, value in raw.items() if name not in IN_PATH},
        rest={},
    )
    decode_config(fields.object("generationConfig"), request)
    decode_outside(fields, request)
    beyond = {name: value for name, value in camel(tool_config).items() if name != _CALLING}
    request.rest |= {f"toolConfig.{name}": value for name, value in beyond.items() if value is not True}
    return request


def encode_request(request: Request, sending: Sending) -> dict[str, Any]:
    """The body: the model and whether to stream go into the address. Raises GatewayError 400."""
    if request.dialect == NAME:
        return dict(request.kept)
    if request.choices != 1:
        raise unsupported("n")
    sampling, rest = take_sampling(request.rest, sending)
    sending.losses.settings(rest, request.beyond)
    value = encode_contents(request.messages, sending)
    return value | encode_tools(request, sending) | encode_settings(request, sampling, sending)
