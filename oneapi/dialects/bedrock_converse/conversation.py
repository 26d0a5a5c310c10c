"""A whole request.

Source: Amazon Bedrock's API reference, "Converse" and "ConverseStream", and the service model of AWS's SDKs. The
address names the model and says whether to stream. It must not know the other formats.
"""

from typing import Any

from oneapi.dialects.bedrock_converse.blocks import Blocks
from oneapi.dialects.bedrock_converse.messages import encode_messages
from oneapi.dialects.bedrock_converse.settings import encode_settings, thinks
from oneapi.dialects.bedrock_converse.tools import encode_tools
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.requests import Request


def encode_request(request: Request, sending: Sending) -> dict[str, Any]:
    """The body. Raises GatewayError 400."""
    if request.choices != 1:
        raise unsupported("n")
    if request.logprobs:
        raise unsupported("logprobs")
    sending.losses.settings(request.rest, request.beyond)
    settings = encode_settings(request, sending)
    blocks = Blocks(sending)
    tools = encode_tools(request, blocks.points, sending, thinks=thinks(settings))
    return {**encode_messages(request.messages, blocks, sending), **tools, **settings}
