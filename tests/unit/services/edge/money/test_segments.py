from hypothesis import given
from hypothesis import strategies as st

from services.edge.money import segments

RECORDS = st.lists(st.tuples(st.integers(1, 31), st.binary(max_size=200)), max_size=8)


def written(rows: list[tuple[int, bytes]]) -> bytes:
    return b"".join(segments.encode(kind, payload) for kind, payload in rows)


@given(RECORDS, st.integers(0, 10**12))
def test_what_was_written_is_read(rows: list[tuple[int, bytes]], base: int) -> None:
    data = written(rows)
    found = list(segments.records(data, 0, base))
    assert [(record.kind, record.payload) for record in found] == rows
    assert [record.offset for record in found[1:]] == [record.end for record in found[:-1]]
    assert not found or found[-1].end == base + len(data)


@given(RECORDS, st.data())
def test_a_cut_record_ends_the_reading_and_nothing_sound_follows(
    rows: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    whole = written(rows)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    found = list(segments.records(cut, 0, 0))
    assert [(record.kind, record.payload) for record in found] == rows[: len(found)]
    end = found[-1].end if found else 0
    assert not segments.sound_after(cut, end)


@given(RECORDS.filter(bool), st.data())
def test_a_flipped_bit_is_never_read_as_something_else(rows: list[tuple[int, bytes]], data: st.DataObject) -> None:
    damaged = bytearray(written(rows))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    found = list(segments.records(bytes(damaged), 0, 0))
    assert len(found) < len(rows)
    assert [(record.kind, record.payload) for record in found] == rows[: len(found)]


@given(RECORDS, st.frozensets(st.integers(1, 31)), st.integers(0, 9))
def test_choosing_passes_over_the_rest(rows: list[tuple[int, bytes]], kinds: frozenset[int], cut: int) -> None:
    data = written(rows)
    data = data[: len(data) - cut]
    every = list(segments.records(data, 0, 7))
    found, reach = segments.chosen(data, 7, kinds)
    assert found == [record for record in every if record.kind in kinds]
    assert reach == (every[-1].end if every else 7)


def test_choosing_stops_at_damage() -> None:
    data = bytearray(written([(8, b"first"), (8, b"second")]))
    data[-1] ^= 1
    found, reach = segments.chosen(bytes(data), 0, frozenset({8}))
    assert [record.payload for record in found] == [b"first"]
    assert reach == found[0].end
    assert segments.chosen(b"\0" * 40, 0, frozenset({8})) == ([], 0)
