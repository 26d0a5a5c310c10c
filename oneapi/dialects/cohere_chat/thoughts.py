"""What Cohere's models think: passages of thinking, and the plan that stands before calls of tools.

Both are reasoning in the one model, and their state is where they stood and their words, so that each goes back to its
own field. Cohere signs neither.
"""

from oneapi.dialects.canonical.parts import Reasoning, State
from oneapi.dialects.canonical.seal import Seal

NAME = "cohere_chat"
THINKING, PLAN = "thinking", "tool_plan"


def thought(field: str, text: str) -> Reasoning:
    """A whole part of reasoning."""
    return Reasoning(texts=[text], state=state(field, text))


def state(field: str, text: str) -> State:
    return State(NAME, value={field: text})


def own(part: Reasoning, seal: Seal) -> tuple[str, str]:
    """The field that a part goes back to, and its words; empty for what isn't of the upstream that is asked now."""
    if part.state is not None and seal.usable(part.state, NAME):
        for field in (THINKING, PLAN):
            if isinstance(part.state.value.get(field), str):
                return field, part.state.value[field]
    return "", ""
