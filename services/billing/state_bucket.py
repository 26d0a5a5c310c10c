"""What billing reads of the `state` bucket: which edges are registered, and which accounts were ever opened.

It decides only how entries are listed. It must not know what follows from them.
"""

from nats.js.kv import KeyValue

from oneapi.bus.bucket_reader import contents

OPENED = "opened."


async def listed(bucket: KeyValue, prefix: str) -> set[str]:
    """What follows the prefix in the keys of the bucket that begin with it.

    Raises nats.errors.Error, and TimeoutError when the list doesn't become complete.
    """
    return {entry.key.removeprefix(prefix) for entry in await contents(bucket, prefix + ">", values=False)}
