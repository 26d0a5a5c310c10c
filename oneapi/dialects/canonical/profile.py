"""What one upstream's model can do: what a conversion must know and no format tells.

It decides the defaults, which are those of a current model of the format's own vendor; whoever knows the model says
otherwise. It must not know any model's name.
"""

from typing import Literal

import msgspec

from oneapi.dialects.canonical.requests import EFFORTS, Effort

DEFAULT_MAX_OUTPUT = 32_000


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """`max_output` is sent where a format demands a cap and the client gave none.

    `thinking`: how much to think is told by a budget in tokens, by an effort, or not at all. `system_first`: only the
    first message may be a system message. `inline_system`: in Messages and Converse they may stand inside a
    conversation. `penalties`: Google's format has them for some models only. `images_in_results`: results of tools may
    hold pictures. `cache_marks`: OpenAI's cache breakpoints, or Bedrock's cache points, are known; `long_cache_marks`
    and `tool_cache_marks`: Bedrock's may live for an hour, or mark tools. `forced_tools`: a call can be demanded.
    `vendor_fields`: whose own settings Bedrock passes on to the model. `encrypted_reasoning`: Responses give reasoning
    encrypted where it isn't stored. `reasoning_replay`: Chat takes back the reasoning that it gave;
    `reasoning_required`: it refuses calls without.
    """

    max_output: int = DEFAULT_MAX_OUTPUT
    cap_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    sampling: bool = True
    penalties: bool = True
    thinking: Literal["budget", "effort", "none"] = "effort"
    efforts: tuple[Effort, ...] = EFFORTS
    developer_role: bool = False
    system_first: bool = False
    inline_system: bool = False
    native_schema: bool = True
    custom_tools: bool = False
    web_search: bool = False
    images_in_results: bool = False
    cache_marks: bool = False
    long_cache_marks: bool = False
    tool_cache_marks: bool = False
    forced_tools: bool = True
    vendor_fields: Literal["none", "claude", "nova", "openai"] = "none"
    encrypted_reasoning: bool = False
    reasoning_replay: bool = True
    reasoning_required: bool = False
