"""What the gateway needs to know of a request, whatever its dialect, and the careful reading and editing of its JSON.

It decides what counts as a readable body, how many bytes of a prompt may become tokens, and that an edit leaves every
other field's bytes as they came. It must not know any dialect's field names beyond those it is given.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from oneapi.dialects import attachments, json_guard
from oneapi.dialects.errors import GatewayError

_NEVER_THE_CLIENTS = frozenset(
    {
        "api_base", "api_key", "api_type", "api_version", "aws_access_key_id", "aws_bedrock_runtime_endpoint",
        "aws_profile_name", "aws_region_name", "aws_role_name", "aws_secret_access_key", "aws_session_name",
        "aws_session_token", "aws_sts_endpoint", "aws_web_identity_token", "azure_ad_token", "azure_endpoint",
        "base_url", "custom_llm_provider", "default_headers", "extra_body", "extra_headers", "extra_query", "headers",
        "http_client", "litellm_credential_name", "litellm_params", "organization", "proxies", "proxy", "ssl_verify",
        "vertex_ai_credentials", "vertex_credentials", "vertex_location", "vertex_project",
    }
)  # fmt: skip
"""Fields by which clients of other gateways say where a request goes, and with whose credential."""

_raw_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class RequestFacts(msgspec.Struct, frozen=True):
    """`max_output` is the client's own bound in tokens; `prompt_bytes` is above the tokens of all text.

    `wants_usage` says that the client asked for usage in its stream. `raw` is the decoded body.
    """

    model: str
    stream: bool
    max_output: int | None
    choices: int
    prompt_bytes: int
    messages: int
    tools: int
    wants_usage: bool
    raw: dict[str, Any]


def refuse(message: str, param: str | None = None, code: str = "invalid_request") -> GatewayError:
    """A 400 that names the field."""
    return GatewayError(400, "invalid_request", code, message, param=param)


def decode(body: bytes) -> dict[str, Any]:
    """The body as an object. Raises GatewayError 400."""
    try:
        value = json_guard.decode(body)
    except json_guard.JsonTooComplex as problem:
        raise refuse(f"{problem}.", code="json_too_complex") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise refuse(f"The body is not valid JSON: {problem}.", code="invalid_json") from None
    if not isinstance(value, dict):
        raise refuse("The body must be a JSON object.", code="invalid_json")
    if not _NEVER_THE_CLIENTS.isdisjoint(value):
        name = next(name for name in value if name in _NEVER_THE_CLIENTS)
        raise refuse(f"'{name}' can't be chosen by a request.", name, "unsupported_parameter")
    return value


def text(raw: Mapping[str, Any], name: str) -> str:
    """A field that must be a text. Raises GatewayError 400."""
    value = raw.get(name)
    if not isinstance(value, str) or not value:
        raise refuse(f"'{name}' must be a non-empty string.", name)
    if len(value) > 256 or not value.isprintable():
        raise refuse(f"'{name}' is too long or has characters that can't be printed.", name)
    return value


def flag(raw: Mapping[str, Any], name: str) -> bool:
    """A field that may be a boolean. Raises GatewayError 400."""
    value = raw.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise refuse(f"'{name}' must be a boolean.", name)
    return value


def whole(raw: Mapping[str, Any], name: str, low: int = 1) -> int | None:
    """A field that may be a whole number. Raises GatewayError 400."""
    value = raw.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value < 2**31:
        raise refuse(f"'{name}' must be a whole number of at least {low}.", name)
    return value


def size(raw: Mapping[str, Any], name: str) -> int:
    """How many elements a list field has; 0 when it is none."""
    value = raw.get(name)
    return len(value) if isinstance(value, list) else 0


def required_list(raw: Mapping[str, Any], name: str) -> list[Any]:
    """A field that must be a list with something in it. Raises GatewayError 400."""
    value = raw.get(name)
    if not isinstance(value, list) or not value:
        raise refuse(f"'{name}' must be a non-empty list.", name)
    return value


def prompt_bytes(body: bytes, raw: Mapping[str, Any]) -> int:
    """An upper bound of the tokens of the request's text and documents: one token is at least one byte.

    Inline media are not text; `oneapi.dialects.attachments` says what they count.
    """
    return max(len(body) - attachments.excess_bytes(raw), 0)


def edit(body: bytes, changes: Mapping[str, Any]) -> bytes:
    """The body with these top-level fields set, and every other field's bytes as they came."""
    fields = _raw_decoder.decode(body)
    for name, value in changes.items():
        fields[name] = msgspec.Raw(msgspec.json.encode(value))
    return msgspec.json.encode(fields)


def only(body: bytes, names: Collection[str], changes: Mapping[str, Any]) -> bytes:
    """The body with no other top-level fields than these, their bytes as they came, and then with the changes."""
    fields = {name: value for name, value in _raw_decoder.decode(body).items() if name in names}
    for name, value in changes.items():
        fields[name] = msgspec.Raw(msgspec.json.encode(value))
    return msgspec.json.encode(fields)


_ASKS_FOR_NOTHING = frozenset({b"null", b"false", b"0", b"0.0", b"{}", b"[]", b'""'})


def reshape(
    body: bytes, *, renamed: Mapping[str, str], refused: Collection[str] = (), dropped: Collection[str] = ()
) -> bytes:
    """The body for an upstream that refuses some top-level fields, every other field's bytes as they came.

    A renamed field gives way to one that already has the new name and a value. Refused ones are left out where they ask
    for nothing, dropped ones always.
    """
    fields = _raw_decoder.decode(body)
    before = len(fields)
    moved = False
    for old, new in renamed.items():
        value = fields.pop(old, None)
        if value is not None and bytes(value) != b"null" and bytes(fields.get(new, b"null")) == b"null":
            fields[new] = value
            moved = True
    for name in dropped:
        fields.pop(name, None)
    for name in refused:
        if name in fields and bytes(fields[name]).translate(None, b" \t\r\n") in _ASKS_FOR_NOTHING:
            del fields[name]
    return msgspec.json.encode(fields) if moved or len(fields) != before else body
