"""What one request asks this upstream to do, read from the model's name.

`play:tokens=5,cut=3` plays five tokens and drops the connection after the third chunk. Channels map the names that
clients use to such names, so a test chooses behaviour by configuration alone.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Script:
    """Counts are tokens or chunks, times milliseconds; -1 means never.

    With a `cut` behind the last chunk the connection breaks instead of ending.

    With `tool` a request that offers tools and has no result yet is answered with a call of the first one. With
    `bad_key` an error in Google's format says that the key is wrong, whatever its status. With `capped` an answer that
    is no stream ends at its bound.
    """

    tokens: int = 5
    input: int = 11
    cached: int = 0
    reasoning: int = 0
    first_byte_ms: int = 0
    gap_ms: int = 0
    usage: int = 1
    status: int = 200
    retry_after: int = 0
    html: int = 0
    cut: int = -1
    malformed: int = -1
    silent: int = -1
    error_event: int = -1
    fail_first: int = 0
    tool: int = 0
    bad_key: int = 0
    capped: int = 0


def read(model: str) -> Script:
    """The script in a model's name; a name without one is the default script. ValueError for an unknown option."""
    _, _, options = model.partition(":")
    known = {field.name for field in dataclasses.fields(Script)}
    values: dict[str, int] = {}
    for option in filter(None, options.split(",")):
        name, _, value = option.partition("=")
        if name not in known:
            raise ValueError(f"unknown option {name!r} in {model!r}")
        values[name] = int(value)
    return Script(**values)
