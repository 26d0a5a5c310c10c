"""A compact set of the digests that the bucket `keys` has an entry for.

It decides how they are kept: the first eight bytes of each, sorted, so that a million keys cost 8 MB and a look-up a
microsecond. Two digests with the same eight bytes count as one; that only makes somebody ask the bucket. It must not
know where digests come from.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable

_PREFIX_BYTES = 8
_DIGEST_CHARACTERS = 64


class KnownDigests:
    """Digests, added in any order, quickest in ascending pages. None is ever taken out: the bucket keeps entries."""

    def __init__(self) -> None:
        self._prefixes = array("Q")

    def __len__(self) -> int:
        return len(self._prefixes)

    def __contains__(self, digest: str) -> bool:
        prefix = _prefix(digest)
        place = bisect_left(self._prefixes, prefix)
        return place < len(self._prefixes) and self._prefixes[place] == prefix

    def add(self, digest: str) -> None:
        """Adds one; a second time changes nothing."""
        self._insert(_prefix(digest))

    def add_page(self, digests: Iterable[str]) -> None:
        """Adds many. What comes after all that is there is appended, the rest is inserted one by one."""
        for prefix in sorted({_prefix(digest) for digest in digests}):
            if not self._prefixes or prefix > self._prefixes[-1]:
                self._prefixes.append(prefix)
            else:
                self._insert(prefix)

    def _insert(self, prefix: int) -> None:
        place = bisect_left(self._prefixes, prefix)
        if place == len(self._prefixes) or self._prefixes[place] != prefix:
            self._prefixes.insert(place, prefix)


def _prefix(digest: str) -> int:
    if len(digest) == _DIGEST_CHARACTERS:
        try:
            return int(digest[: 2 * _PREFIX_BYTES], 16)
        except ValueError:
            pass
    # No digest of ours, but an entry all the same, which must count.
    return int.from_bytes(hashlib.sha256(digest.encode()).digest()[:_PREFIX_BYTES])
