"""The models that a caller may use, in the shapes of OpenAI's and Anthropic's lists.

It decides what is listed and how, and must not know who asks for it or how the answer travels.
"""

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
