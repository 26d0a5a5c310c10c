"""The compact set of digests."""

import hashlib
import sys

from hypothesis import given
from hypothesis import strategies as st

from oneapi.catalog.known_digests import KnownDigests


def digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


@given(st.lists(st.integers(0, 50)), st.lists(st.lists(st.integers(0, 50))))
def test_it_is_a_set(single: list[int], pages: list[list[int]]) -> None:
    known = KnownDigests()
    for page in pages:
        known.add_page(digest(number) for number in page)
    for number in single:
        known.add(digest(number))
    expected = {*single, *(number for page in pages for number in page)}
    assert len(known) == len(expected)
    assert [number for number in range(51) if digest(number) in known] == sorted(expected)


def test_names_that_are_no_digests_count_too() -> None:
    known = KnownDigests()
    for name in ("", "x", "g" * 64, "_" * 64):
        known.add(name)
        assert name in known
    assert len(known) == 4


def test_a_million_cost_few_bytes() -> None:
    known = KnownDigests()
    known.add_page(f"{number:016x}{'0' * 48}" for number in range(1_000_000))
    assert len(known) == 1_000_000
    assert sys.getsizeof(known._prefixes) < 10_000_000
