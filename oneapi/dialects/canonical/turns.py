"""Joins messages into turns, and finds instructions a place, for formats that are strict about either.

It decides where an instruction goes that stands inside a conversation, in a format that has none there: into the next
turn of the user, marked as what it is. It must not know any format.
"""

from collections.abc import Iterable

from oneapi.dialects.canonical.parts import Message, Part, Reasoning, Text, ToolCall, ToolResult
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.request import refuse

INSTRUCTING = frozenset({"system", "developer"})


def leading(messages: list[Message]) -> int:
    """How many messages of instructions the conversation begins with."""
    for place, message in enumerate(messages):
        if message.role not in INSTRUCTING:
            return place
    return len(messages)


def reminded(messages: Iterable[Message]) -> list[Message]:
    """The messages with instructions folded into user turns, behind the results of tools."""
    out: list[Message] = []
    held: list[Part] = []
    for message in messages:
        if message.role in INSTRUCTING:
            held += [_reminder(part) for part in message.parts]
        elif message.role == "tool" or not held:
            out.append(message)
        elif message.role == "user":
            results = [part for part in message.parts if isinstance(part, ToolResult)]
            others = [part for part in message.parts if not isinstance(part, ToolResult)]
            out.append(Message(role="user", parts=[*results, *held, *others], rest=message.rest))
            held = []
        else:
            out += [Message(role="user", parts=held), message]
            held = []
    if held:
        out.append(Message(role="user", parts=held))
    return out


def joined(messages: Iterable[Message], *, results_in_user: bool) -> list[Message]:
    """Neighbours of one role as one message. With `results_in_user`, tool results belong to the user's turn."""
    out: list[Message] = []
    for message in messages:
        role = "user" if message.role == "tool" and results_in_user else message.role
        if out and out[-1].role == role:
            out[-1].parts.extend(message.parts)
            out[-1].rest.update(message.rest)
        else:
            out.append(Message(role=role, parts=list(message.parts), rest=dict(message.rest)))
    return out


def check_pairs(messages: Iterable[Message]) -> None:
    """Every call must have its result before the model speaks again, and every result its call. Raises GatewayError."""
    open_calls: dict[str, None] = {}
    answered = False
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                if answered and open_calls:
                    raise _unanswered(open_calls)
                answered = False
                open_calls[part.id] = None
            elif isinstance(part, ToolResult):
                if part.call_id not in open_calls:
                    raise refuse(f"There is a result of the tool call '{part.call_id}', but no such call before it.")
                del open_calls[part.call_id]
                answered = True
    if open_calls:
        raise _unanswered(open_calls)


def without_orphans(messages: list[Message]) -> tuple[list[Message], bool]:
    """Without reasoning that nothing of the model's follows; whether there was any."""
    out: list[Message] = []
    dropped = False
    for place, message in enumerate(messages):
        parts = list(message.parts)
        follower = messages[place + 1].role if place + 1 < len(messages) else "user"
        while message.role == "assistant" and follower != "assistant" and parts and isinstance(parts[-1], Reasoning):
            parts.pop()
            dropped = True
        if parts or not message.parts:
            out.append(Message(role=message.role, parts=parts, top=message.top, rest=message.rest))
    return out, dropped


def _unanswered(calls: Iterable[str]) -> GatewayError:
    return refuse(f"The tool call '{next(iter(calls))}' has no result.")


def _reminder(part: Part) -> Part:
    if isinstance(part, Text):
        return Text(text=f"<system-reminder>\n{part.text}\n</system-reminder>", cache=part.cache)
    return part
