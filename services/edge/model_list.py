"""The models that a caller may use, in the shapes of OpenAI's, Anthropic's and Google's lists.

It decides what is listed and how, and must not know who asks for it or how the answer travels.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

OWNER = "one-api"
EPOCH = "1970-01-01T00:00:00Z"
"""The catalog keeps no birthdays of models, and the shapes demand one."""
_UNKNOWN = dict.fromkeys(
    ("capabilities", "deprecated_at", "line", "max_input_tokens", "max_tokens", "retires_at"), None
)
DEFAULT_PAGE = 20
MAX_PAGE = 1000
GOOGLES_PAGE = 50


def openai_model(model: str) -> dict[str, Any]:
    """One model as OpenAI's API has it."""
    return {"id": model, "object": "model", "created": 0, "owned_by": OWNER}


def openai_list(models: Sequence[str]) -> dict[str, Any]:
    """All of them; OpenAI's list has no pages."""
    return {"object": "list", "data": [openai_model(model) for model in models]}


def anthropic_model(model: str) -> dict[str, Any]:
    """One model as Anthropic's API has it."""
    return {"type": "model", "id": model, "display_name": model, "created_at": EPOCH, "lifecycle": "active"} | _UNKNOWN


def anthropic_list(models: Sequence[str], query: Mapping[str, str]) -> dict[str, Any]:
    """A page of them: `limit`, and `after_id` or `before_id`, as Anthropic's list takes them. Raises ValueError."""
    limit = int(query.get("limit", DEFAULT_PAGE))
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError("limit")
    names = list(models)
    before, after = query.get("before_id"), query.get("after_id")
    if before is not None:
        earlier = [name for name in names if name < before]
        page, more = earlier[-limit:], len(earlier) > limit
    else:
        later = [name for name in names if after is None or name > after]
        page, more = later[:limit], len(later) > limit
    return {
        "data": [anthropic_model(name) for name in page],
        "has_more": more,
        "first_id": page[0] if page else None,
        "last_id": page[-1] if page else None,
    }


def google_model(model: str, *, converses: bool) -> dict[str, Any]:
    """One model as Google's API has it; `converses`: content can be asked of it."""
    actions = ["generateContent", "streamGenerateContent"] if converses else []
    return {
        "name": f"models/{model}",
        "baseModelId": model,
        "version": "",
        "displayName": model,
        "description": "",
        "supportedGenerationMethods": actions,
    }


def google_page(models: Sequence[str], query: Mapping[str, str]) -> tuple[list[str], str]:
    """A page of them and the token of the next one, empty at the end: `pageSize` and `pageToken`, as Google's list
    takes them. A size beyond the largest is the largest. Raises ValueError."""
    size = int(query.get("pageSize") or GOOGLES_PAGE)
    if size < 1:
        raise ValueError("pageSize")
    after = _name(query.get("pageToken", ""))
    later = [name for name in models if name > after]
    page = later[: min(size, MAX_PAGE)]
    return page, _token(page[-1]) if len(later) > len(page) else ""


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _name(token: str) -> str:
    """The last name of the page before. Raises ValueError."""
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as failure:
        raise ValueError("pageToken") from failure
