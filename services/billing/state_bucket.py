"""What billing reads of the `state` bucket: which edges are registered, and which accounts were ever opened.

It decides only how entries are listed. It must not know what follows from them.
"""

import contextlib
from typing import Any

import nats.errors
from nats.js.kv import KeyValue

OPENED = "opened."

_LIST_S = 5.0


async def listed(bucket: KeyValue, prefix: str) -> set[str]:
    """What follows the prefix in the keys of the bucket that begin with it.

    Raises nats.errors.Error, and TimeoutError when the list doesn't become complete.
    """
    watcher: Any = await bucket.watch(prefix + ">", ignore_deletes=True, meta_only=True)
    found: set[str] = set()
    try:
        while (entry := await watcher.updates(timeout=_LIST_S)) is not None:
            found.add(entry.key.removeprefix(prefix))
    finally:
        with contextlib.suppress(nats.errors.Error, TimeoutError, OSError):
            await watcher.stop()
    return found
