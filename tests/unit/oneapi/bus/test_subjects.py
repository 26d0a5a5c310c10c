"""Names on the bus."""

from oneapi.bus import subjects


def test_subjects_lie_in_their_streams() -> None:
    for subject in (subjects.USAGE, subjects.CREDIT):
        assert subject.startswith(subjects.LEDGER_SUBJECTS.removesuffix(">"))
    assert f"{subjects.DEAD_LETTER_PREFIX}>" == subjects.DEAD_LETTER_SUBJECTS
    # A dead letter must not come back as an event.
    assert not subjects.DEAD_LETTER_PREFIX.startswith("ledger.")
    assert not subjects.OUTCOMES.startswith("ledger")


def test_buckets() -> None:
    assert subjects.bucket_stream("keys") == "KV_keys"
    assert subjects.bucket_subject("keys", ">") == "$KV.keys.>"
