"""Identifiers."""

import re
import time
import uuid

from oneapi.runtime.ids import new_id, uuid7


def test_a_uuid7_is_one() -> None:
    made = uuid.UUID(uuid7())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert str(made) == str(uuid.UUID(str(made)))


def test_ids_differ() -> None:
    assert len({uuid7() for _ in range(10_000)}) == 10_000
    assert len({new_id("ch") for _ in range(10_000)}) == 10_000


def test_an_id_is_a_uuid7_in_base_32() -> None:
    number = 0
    for letter in new_id("ch").removeprefix("ch_"):
        number = number << 5 | "0123456789abcdefghjkmnpqrstvwxyz".index(letter)
    made = uuid.UUID(int=number)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert abs((number >> 80) / 1000 - time.time()) < 3600


def test_ids_have_one_form_and_sort_by_time() -> None:
    early = new_id("ch")
    assert re.fullmatch(r"ch_[0-9a-z]{26}", early)
    before = uuid7()
    while uuid7()[:13] == before[:13]:
        pass
    assert early < new_id("ch")
    assert before < uuid7()
