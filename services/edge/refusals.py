"""Every error that the edge says behind its door: one function each, with its status, code and words.

It decides the texts, which never repeat what the client or an upstream sent beyond a model's or a field's name. It
must not know how a dialect writes an error.
"""

import math

from oneapi.dialects.errors import GatewayError, Kind

BUSY_RETRY_S = 2.0
DRAIN_RETRY_S = 1.0
OUTAGE_RETRY_S = 2.0
UPSTREAM_RETRY_S = 5.0


def _shown(name: str) -> str:
    """A name as it may stand in an error: short, on one line."""
    printable = "".join(c if c.isprintable() else "?" for c in name[:128])
    return printable + ("…" if len(name) > 128 else "")


# What the request looks like ----------------------------------------------------------------------------------------


def unsupported_content_type() -> GatewayError:
    return GatewayError(
        415, "unsupported_media", "unsupported_content_type", "The request's content type must be application/json."
    )


def unsupported_content_encoding() -> GatewayError:
    return GatewayError(
        415, "unsupported_media", "unsupported_content_encoding", "Compressed request bodies are not accepted."
    )


def method_not_allowed() -> GatewayError:
    return GatewayError(405, "invalid_request", "method_not_allowed", "This path does not take this method.")


# Who asks -----------------------------------------------------------------------------------------------------------


def unauthenticated() -> GatewayError:
    """The one answer for every bad key, whatever is wrong with it."""
    return GatewayError(
        401, "authentication", "invalid_api_key", "The API key is missing, not valid, or may not be used from here."
    )


def keys_unavailable() -> GatewayError:
    return GatewayError(
        503, "overloaded", "keys_unavailable", "API keys can't be checked right now.", retry_after_s=OUTAGE_RETRY_S
    )


# What is asked for --------------------------------------------------------------------------------------------------


def model_not_found(model: str) -> GatewayError:
    return GatewayError(
        404,
        "not_found",
        "model_not_found",
        f"The model `{_shown(model)}` does not exist or this key may not use it.",
        param="model",
    )


def model_not_on_endpoint(model: str) -> GatewayError:
    return GatewayError(
        404,
        "not_found",
        "model_not_found",
        f"The model `{_shown(model)}` can't be reached through this endpoint.",
        param="model",
    )


def model_not_priced(model: str) -> GatewayError:
    return GatewayError(
        403,
        "permission",
        "model_not_priced",
        f"The model `{_shown(model)}` has no price yet, so it can't be used with a balance or a budget.",
        param="model",
    )


def invalid_link(field: str) -> GatewayError:
    """A URL that no provider should be asked to open."""
    return GatewayError(
        400, "invalid_request", f"invalid_{field}", f"`{field}` must be a public http or https URL.", param=field
    )


def reference_not_found(field: str) -> GatewayError:
    """Something that a provider keeps, and that isn't known to be the caller's."""
    message = f"`{field}` names something that this account has not stored here."
    return GatewayError(404, "not_found", "reference_not_found", message, param=field)


def previous_not_found(field: str | None = None) -> GatewayError:
    """A response that this account has not stored; whether another has is not said. OpenAI's status for it is 400."""
    message = "`previous_response_id` names nothing that this account has stored here, or a turn before it is gone."
    return GatewayError(400, "invalid_request", "previous_response_not_found", message, param=field)


def response_not_found() -> GatewayError:
    return GatewayError(404, "not_found", "response_not_found", "This account has no stored response with this id.")


def conversation_not_found(field: str | None = None) -> GatewayError:
    message = "This account has no conversation with this id."
    return GatewayError(404, "not_found", "conversation_not_found", message, param=field)


def item_not_found(field: str | None = None) -> GatewayError:
    message = "This account has no stored item with the id that an `item_reference` or the path names."
    return GatewayError(404, "not_found", "item_not_found", message, param=field)


def two_pasts() -> GatewayError:
    message = "`previous_response_id` and `conversation` can't be used together."
    return GatewayError(400, "invalid_request", "mutually_exclusive_parameters", message, param="conversation")


def past_too_long() -> GatewayError:
    """Code as for a model's own bound: clients that can make a conversation shorter know it."""
    message = "What is stored of this conversation is too long to go on from."
    return GatewayError(400, "invalid_request", "context_length_exceeded", message, param="input")


def no_background() -> GatewayError:
    message = "Answers are not made in the background here."
    return GatewayError(400, "invalid_request", "unsupported_parameter", message, param="background")


def no_stream_of_compaction() -> GatewayError:
    message = "A compaction comes as a whole: ask for it without `stream`."
    return GatewayError(400, "invalid_request", "unsupported_parameter", message, param="stream")


def no_replay() -> GatewayError:
    message = "The stream of a stored response can't be had again: ask for the response without `stream`."
    return GatewayError(400, "invalid_request", "unsupported_parameter", message, param="stream")


def not_in_background() -> GatewayError:
    message = "Only a response that is made in the background can be cancelled."
    return GatewayError(400, "invalid_request", "response_not_cancellable", message)


def state_unavailable() -> GatewayError:
    return GatewayError(
        503,
        "overloaded",
        "state_unavailable",
        "What is stored can't be read or written right now.",
        retry_after_s=OUTAGE_RETRY_S,
    )


def state_contended() -> GatewayError:
    message = "The conversation is being changed by others."
    return GatewayError(409, "invalid_request", "conversation_changed", message, param="conversation")


def storing_too_fast(retry_after_s: float) -> GatewayError:
    message = "This account stores more in conversations than it may at once."
    return GatewayError(
        429, "rate_limit", "storage_rate_limited", message, retry_after_s=max(1.0, math.ceil(retry_after_s))
    )


def conversation_full() -> GatewayError:
    message = "The conversation would become too long."
    return GatewayError(400, "invalid_request", "conversation_too_long", message, param="items")


def invalid_strict() -> GatewayError:
    return GatewayError(400, "invalid_request", "invalid_header", "The header `x-oneapi-strict` must be 1 or 0.")


def bad_page(most: int = 1000) -> GatewayError:
    return GatewayError(
        400, "invalid_request", "invalid_value", f"`limit` must be a number from 1 to {most}.", param="limit"
    )


def bad_page_size() -> GatewayError:
    return GatewayError(
        400,
        "invalid_request",
        "invalid_value",
        "`pageSize` must be a number from 1, and `pageToken` one that an earlier page told.",
        param="pageSize",
    )


def bad_framing() -> GatewayError:
    return GatewayError(400, "invalid_request", "invalid_value", "`alt` must be `sse` or `json`.", param="alt")


def bad_order() -> GatewayError:
    return GatewayError(400, "invalid_request", "invalid_value", "`order` must be `asc` or `desc`.", param="order")


def bad_cursor() -> GatewayError:
    return GatewayError(400, "invalid_request", "invalid_value", "`after` must be an item of this list.", param="after")


def receipt_not_found() -> GatewayError:
    return GatewayError(404, "not_found", "receipt_not_found", "This key has no receipt with this id (yet).")


# What this gateway can do now ---------------------------------------------------------------------------------------


def draining() -> GatewayError:
    return GatewayError(
        503, "overloaded", "server_shutdown", "The gateway is restarting. Try again.", retry_after_s=DRAIN_RETRY_S
    )


def not_accepting(why: str) -> GatewayError:
    return GatewayError(
        503, "overloaded", why, "The gateway can't take requests right now.", retry_after_s=OUTAGE_RETRY_S
    )


def router_unavailable() -> GatewayError:
    return GatewayError(
        503, "overloaded", "router_unavailable", "No channel can be picked right now.", retry_after_s=OUTAGE_RETRY_S
    )


def service_unavailable() -> GatewayError:
    return GatewayError(
        503,
        "overloaded",
        "service_unavailable",
        "This part of the gateway does not answer right now.",
        retry_after_s=OUTAGE_RETRY_S,
    )


def internal_error() -> GatewayError:
    return GatewayError(500, "internal", "internal_error", "The gateway made a mistake. It has been logged.")


def counting_busy() -> GatewayError:
    return GatewayError(
        503, "overloaded", "counting_busy", "Tokens can't be counted right now.", retry_after_s=BUSY_RETRY_S
    )


# What the upstreams did ---------------------------------------------------------------------------------------------


def channels_cooling(model: str, retry_after_s: float) -> GatewayError:
    return GatewayError(
        503,
        "overloaded",
        "upstream_unavailable",
        f"Every channel of the model `{_shown(model)}` is failing right now.",
        retry_after_s=max(1.0, math.ceil(retry_after_s)),
    )


def channels_busy() -> GatewayError:
    return GatewayError(
        503,
        "overloaded",
        "upstream_busy",
        "Every channel of this model is at its limit of concurrent requests.",
        retry_after_s=BUSY_RETRY_S,
    )


def upstream_unreachable() -> GatewayError:
    return GatewayError(
        502, "upstream", "upstream_unreachable", "The provider can't be reached.", retry_after_s=UPSTREAM_RETRY_S
    )


def upstream_tls() -> GatewayError:
    return GatewayError(
        502,
        "upstream",
        "upstream_tls",
        "The provider shows no valid certificate over TLS 1.2 or newer.",
        retry_after_s=UPSTREAM_RETRY_S,
    )


def redirect_refused() -> GatewayError:
    return GatewayError(
        502,
        "upstream",
        "redirect_refused",
        "The provider answered with a redirect, which is never followed.",
        retry_after_s=UPSTREAM_RETRY_S,
    )


def upstream_failed() -> GatewayError:
    return GatewayError(
        502, "upstream", "upstream_error", "The provider failed to answer.", retry_after_s=UPSTREAM_RETRY_S
    )


def upstream_overloaded(retry_after_s: float) -> GatewayError:
    return GatewayError(
        503,
        "overloaded",
        "upstream_overloaded",
        "The provider is overloaded.",
        retry_after_s=max(1.0, math.ceil(retry_after_s or UPSTREAM_RETRY_S)),
    )


def upstream_rate_limited(retry_after_s: float) -> GatewayError:
    return GatewayError(
        429,
        "rate_limit",
        "upstream_rate_limited",
        "The provider's rate limit is reached.",
        retry_after_s=max(1.0, math.ceil(retry_after_s or UPSTREAM_RETRY_S)),
    )


def upstream_timeout() -> GatewayError:
    return GatewayError(
        504, "timeout", "upstream_timeout", "The provider did not answer in time.", retry_after_s=UPSTREAM_RETRY_S
    )


def upstream_refused(status: int, code: str, message: str, param: str | None) -> GatewayError:
    """A provider's refusal of this very request, in words that have been cleaned."""
    kinds: dict[int, Kind] = {404: "not_found", 413: "too_large", 415: "unsupported_media"}
    kind = kinds.get(status, "invalid_request")
    return GatewayError(status, kind, code, message, param=param)


def stream_cut() -> GatewayError:
    return GatewayError(502, "upstream", "upstream_cut", "The provider's answer broke off.")
