"""Identifiers."""

import re
import uuid

from oneapi.runtime.ids import new_id, uuid7


def test_a_uuid7_is_one() -> None:
    made = uuid.UUID(uuid7())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert str(made) == str(uuid.UUID(str(made)))


def test_ids_differ() -> None:
    assert len({uuid7() for _ in range(10_000)}) == 10_000
    assert len({new_id("ch") for _ in range(10_000)}) == 10_000


def test_ids_have_one_form_and_sort_by_time() -> None:
    early = new_id("ch")
    assert re.fullmatch(r"ch_[0-9a-z]{26}", early)
    before = uuid7()
    while uuid7()[:13] == before[:13]:
        pass
    assert early < new_id("ch")
    assert before < uuid7()
