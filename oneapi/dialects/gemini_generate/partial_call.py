"""A call whose arguments arrive piece by piece: each piece says by a JSON path which value it is, or continues."""

import itertools
import re
from typing import Any

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_MAX_DEPTH = 64


class PartialCall:
    """One call. Texts of the same path are one text."""

    __slots__ = ("arguments", "id", "key", "name")

    def __init__(self, key: int, call_id: str, name: str) -> None:
        self.key = key
        self.id = call_id
        self.name = name
        self.arguments: dict[str, Any] = {}

    def take(self, raw: dict[str, Any]) -> None:
        """One of `partialArgs`; what has no path inside the arguments is passed over."""
        path = raw.get("jsonPath")
        value = next((raw[name] for name in ("stringValue", "numberValue", "boolValue") if name in raw), None)
        if not isinstance(path, str) or not path.startswith("$"):
            return
        steps = [_step(found) for found in _STEP.finditer(path, 1)]
        if not 0 < len(steps) <= _MAX_DEPTH or isinstance(steps[0], int):
            return
        holder: Any = self.arguments
        for step, following in itertools.pairwise(steps):
            holder = _inside(holder, step, [] if isinstance(following, int) else {})
        _set(holder, steps[-1], value)


def _step(found: re.Match[str]) -> str | int:
    name, index, single, double = found.groups()
    return int(index) if index is not None and len(index) < 9 else str(name or single or double or "")


def _inside(holder: Any, step: str | int, new: Any) -> Any:
    if isinstance(holder, dict) and isinstance(step, str):
        inner = holder.setdefault(step, new)
    elif isinstance(holder, list) and isinstance(step, int) and step <= len(holder):
        holder[step:] = holder[step:] or [new]
        inner = holder[step]
    else:
        return None
    return inner if isinstance(inner, dict | list) else None


def _set(holder: Any, step: str | int, value: Any) -> None:
    if isinstance(holder, dict) and isinstance(step, str):
        before = holder.get(step)
        holder[step] = before + value if isinstance(before, str) and isinstance(value, str) else value
    elif isinstance(holder, list) and isinstance(step, int) and step <= len(holder):
        before = holder[step] if step < len(holder) else None
        holder[step : step + 1] = [before + value if isinstance(before, str) and isinstance(value, str) else value]
