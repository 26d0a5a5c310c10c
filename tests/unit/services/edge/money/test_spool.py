import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.edge.money import segments
from services.edge.money.segments import Record, SpoolCorrupt
from services.edge.money.spool import Spool, SpoolUnavailable
from services.edge.money.spool_folder import Cursor, SpoolLocked

ALL = frozenset(range(2, 32))


def opened(folder: Path, **options: int) -> tuple[Spool, list[Record]]:
    spool = Spool(folder, edge_id="edge", **{"min_free_bytes": 0} | options)  # type: ignore[arg-type]
    found = list(spool.recover())
    spool.begin()
    return spool, found


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def everything(spool: Spool, offset: int = 0) -> list[bytes]:
    wait(lambda: spool.durable == spool.end or spool.suspect)
    payloads: list[bytes] = []
    while offset < spool.end:
        found, offset = spool.read(offset, spool.end, ALL)
        payloads += [record.payload for record in found]
    return payloads


def test_what_was_appended_is_read_in_order_over_many_segments(tmp_path: Path) -> None:
    spool, _ = opened(tmp_path, segment_bytes=300)
    offsets = [spool.append(2 + n % 5, b"%d" % n * 10) for n in range(100)]
    assert offsets == sorted(offsets)
    assert everything(spool) == [b"%d" % n * 10 for n in range(100)]
    assert len(segments.bases(tmp_path)) > 3
    assert spool.bytes_kept == spool.end
    spool.close()
    again, found = opened(tmp_path, segment_bytes=300)
    assert [record.payload for record in found] == [b"%d" % n * 10 for n in range(100)]
    assert [record.offset for record in found] == offsets
    assert again.identity == spool.identity
    again.close()


def test_records_larger_than_a_read_are_read(tmp_path: Path) -> None:
    spool, _ = opened(tmp_path)
    spool.append(2, b"x" * 1_000_000)
    spool.append(2, b"y")
    assert [len(payload) for payload in everything(spool)] == [1_000_000, 1]
    spool.close()


def test_a_damaged_length_ends_reading_however_much_follows(tmp_path: Path) -> None:
    spool, _ = opened(tmp_path)
    first = spool.append(2, b"a")
    for _ in range(5):
        spool.append(2, b"x" * 1_000_000)
    wait(lambda: spool.durable == spool.end)
    with (tmp_path / segments.file_name(0)).open("r+b") as file:
        file.seek(first)
        file.write((100 * 1024 * 1024).to_bytes(4, "little"))
    with pytest.raises(SpoolCorrupt):
        spool.read(first, spool.end, ALL)
    spool.close()


def test_what_the_last_process_wrote_is_synced_before_it_counts_as_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, _ = opened(tmp_path)
    spool.append(2, b"a")
    spool.close()
    synced: list[int] = []
    monkeypatch.setattr("services.edge.money.spool.os.fdatasync", synced.append)
    again = Spool(tmp_path, min_free_bytes=0, later=lambda _s, _call: None)
    list(again.recover())
    again.begin()
    assert len(synced) == 1
    assert again.durable == again.end
    again.close()


def test_nothing_is_written_before_the_flush_and_all_of_it_then(tmp_path: Path) -> None:
    later: list[Callable[[], None]] = []
    spool = Spool(tmp_path, min_free_bytes=0, later=lambda _s, call: later.append(call))
    list(spool.recover())
    spool.begin()
    path = tmp_path / segments.file_name(0)
    size = path.stat().st_size
    spool.append(2, b"a")
    spool.append(2, b"b")
    assert path.stat().st_size == size
    spool.flush()
    assert path.stat().st_size == spool.end
    for call in later:
        call()
    wait(lambda: spool.durable == spool.end)
    spool.close()


def test_one_process_owns_it(tmp_path: Path) -> None:
    spool, _ = opened(tmp_path)
    with pytest.raises(SpoolLocked):
        Spool(tmp_path)
    spool.close()
    opened(tmp_path)[0].close()


def test_a_spool_keeps_its_name_and_two_never_share_one(tmp_path: Path) -> None:
    first = Spool(tmp_path / "a", edge_id="pod.one/x")
    assert first.identity.edge_id == "pod-one-x"
    first.close()
    again = Spool(tmp_path / "a", edge_id="other")
    assert again.identity == first.identity
    again.close()
    unnamed, too = Spool(tmp_path / "b"), Spool(tmp_path / "c")
    assert unnamed.identity.edge_id != too.identity.edge_id
    assert unnamed.identity.epoch != too.identity.epoch
    unnamed.close()
    too.close()


def test_the_cursor_is_there_for_the_next_process(tmp_path: Path) -> None:
    spool, _ = opened(tmp_path)
    first = spool.append(2, b"one")
    second = spool.append(2, b"two")
    spool.move(shipped=second, pending=spool.end, floor=first)
    spool.close()
    again = Spool(tmp_path, min_free_bytes=0)
    assert again.cursor == Cursor(second, spool.end, first)
    assert [record.payload for record in again.recover()] == [b"one", b"two"]
    again.close()


def test_a_damaged_cursor_ships_everything_again(tmp_path: Path) -> None:
    spool, _ = opened(tmp_path)
    spool.append(2, b"one")
    spool.move(shipped=spool.end, pending=spool.end, floor=spool.end)
    spool.close()
    path = tmp_path / "cursor"
    path.write_bytes(b"\1" + path.read_bytes()[1:])
    again, found = opened(tmp_path)
    assert again.cursor == Cursor(0, 0, 0)
    assert [record.payload for record in found] == [b"one"]
    again.close()


def test_only_what_follows_the_oldest_open_request_is_recovered(tmp_path: Path) -> None:
    spool, _ = opened(tmp_path, segment_bytes=200)
    offsets = [spool.append(2, b"%d" % n * 20) for n in range(30)]
    spool.move(shipped=offsets[20], pending=offsets[20], floor=offsets[12])
    spool.close()
    again, found = opened(tmp_path, segment_bytes=200)
    assert [record.offset for record in found] == offsets[12:]
    again.close()


# Torn tails and damage --------------------------------------------------------------------------------------------


@pytest.fixture
def three(tmp_path: Path) -> tuple[Path, list[int], int]:
    """A spool of a few records; the offsets of the last three, and its end."""
    spool, _ = opened(tmp_path / "original")
    offsets = [spool.append(2 + n, b"payload %d" % n * (n + 1)) for n in range(6)]
    end = spool.end
    spool.close()
    return tmp_path, offsets, end


def copy(folder: Path) -> Path:
    target = folder / "copy"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder / "original", target)
    return target


def test_a_tail_cut_at_any_byte_is_cut_off_and_the_rest_stays(three: tuple[Path, list[int], int]) -> None:
    folder, offsets, end = three
    for size in range(offsets[3], end):
        target = copy(folder)
        os.truncate(target / segments.file_name(0), size)
        spool, found = opened(target)
        whole = [offset for offset, after in zip(offsets, [*offsets[1:], end], strict=True) if after <= size]
        assert [record.offset for record in found] == whole
        assert spool.append(9, b"next") == (offsets[len(whole)])
        assert everything(spool)[-1] == b"next"
        spool.close()


def test_zeros_after_the_last_record_are_a_torn_tail(three: tuple[Path, list[int], int]) -> None:
    folder, offsets, end = three
    path = copy(folder) / segments.file_name(0)
    path.write_bytes(path.read_bytes() + bytes(5_000))
    spool, found = opened(path.parent)
    assert len(found) == len(offsets)
    assert spool.end == end
    spool.close()


def test_a_flipped_bit_before_the_last_record_stops_everything(three: tuple[Path, list[int], int]) -> None:
    folder, offsets, _ = three
    draw = random.Random(30)
    target = copy(folder)
    path = target / segments.file_name(0)
    sound = path.read_bytes()
    for _ in range(1_000):
        place, bit = draw.randrange(offsets[0], offsets[-1]), draw.randrange(8)
        damaged = bytearray(sound)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        spool = Spool(target, min_free_bytes=0)
        with pytest.raises(SpoolCorrupt):
            list(spool.recover())
        spool.close()
        assert path.read_bytes() == damaged, "evidence isn't touched"


def test_damage_in_what_was_shipped_is_no_torn_tail(three: tuple[Path, list[int], int]) -> None:
    folder, offsets, end = three
    target = copy(folder)
    path = target / segments.file_name(0)
    spool, _ = opened(target)
    spool.move(shipped=end, pending=end, floor=offsets[-1])
    spool.close()
    data = path.read_bytes()
    for damaged in (data[:-1], data[:-1] + bytes([data[-1] ^ 1])):
        path.write_bytes(damaged)
        spool = Spool(target, min_free_bytes=0)
        with pytest.raises(SpoolCorrupt):
            list(spool.recover())
        spool.close()


def test_a_missing_or_short_segment_stops_everything(tmp_path: Path) -> None:
    for harm in (lambda path: path.unlink(), lambda path: os.truncate(path, path.stat().st_size - 1)):
        folder = tmp_path / str(id(harm))
        spool, _ = opened(folder, segment_bytes=100)
        for n in range(20):
            spool.append(2, b"%d" % n * 20)
        spool.close()
        harm(folder / segments.file_name(segments.bases(folder)[2]))
        again = Spool(folder, min_free_bytes=0)
        with pytest.raises(SpoolCorrupt):
            list(again.recover())
        again.close()


def test_segments_without_an_identity_stop_everything(three: tuple[Path, list[int], int]) -> None:
    target = copy(three[0])
    for damaged in (b"{}", b'{"edge_id":"\xff"}'):
        (target / "identity.json").write_bytes(damaged)
        with pytest.raises(SpoolCorrupt):
            Spool(target)
    (target / "identity.json").unlink()
    with pytest.raises(SpoolCorrupt):
        Spool(target)


# A disk that fails ------------------------------------------------------------------------------------------------


def test_a_full_disk_keeps_records_waiting_and_leaves_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, _ = opened(tmp_path)
    spool.append(2, b"before")
    real = os.write

    def short(fd: int, data: bytes) -> int:
        return real(fd, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", short)
    spool.append(2, b"during")
    assert "No space left" in spool.trouble
    with pytest.raises(SpoolUnavailable):
        spool.flush()
    spool.tidy()
    assert spool.trouble, "it waits still"
    monkeypatch.setattr(os, "write", real)
    spool.flush()
    assert spool.trouble == ""
    spool.append(2, b"after")
    assert everything(spool) == [b"before", b"during", b"after"]
    spool.close()


def test_no_room_for_a_new_segment_lets_the_old_one_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, _ = opened(tmp_path, segment_bytes=150)
    real = os.open

    def refuse(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise OSError(28, "No space left on device")
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)
    for n in range(10):
        spool.append(2, b"%d" % n * 50)
    assert len(segments.bases(tmp_path)) == 1
    assert "No space left" in spool.trouble
    monkeypatch.setattr(os, "open", real)
    spool.append(2, b"last")
    assert spool.trouble == ""
    assert len(segments.bases(tmp_path)) == 2
    assert len(everything(spool)) == 11
    spool.close()


def test_a_failed_sync_makes_it_suspect_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, _ = opened(tmp_path)
    spool.append(2, b"kept")
    wait(lambda: spool.durable == spool.end)
    durable = spool.durable
    calls = []

    def fail(fd: int) -> None:
        calls.append(fd)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    spool.append(2, b"lost?")
    wait(lambda: spool.suspect)
    assert "suspect" in spool.trouble
    with pytest.raises(SpoolUnavailable):
        spool.append(2, b"more")
    assert spool.durable == durable
    assert len(calls) == 1, "a failed sync is never tried again on the same file"
    spool.close()
    assert not any(thread.name == "spool-sync" and thread.is_alive() for thread in threading.enumerate())


def test_a_full_spool_admits_nothing_but_takes_what_ends(tmp_path: Path) -> None:
    spool, _ = opened(tmp_path, max_bytes=1_000, segment_bytes=100)
    while spool.bytes_kept < 960:
        spool.append(2, b"x" * 20)
    spool.tidy()
    assert "full" in spool.trouble
    end = spool.append(2, b"an end")
    spool.move(shipped=end, pending=end, floor=end)
    spool.tidy()  # what is shipped goes first when room is short, though it is young
    assert spool.trouble == ""
    assert spool.bytes_kept < 900
    spool.close()


def test_a_disk_without_room_admits_nothing(tmp_path: Path) -> None:
    spool, _ = opened(tmp_path, min_free_bytes=2**62)
    assert "disk is full" in spool.trouble
    spool.close()


def test_shipped_segments_are_kept_for_a_day(tmp_path: Path) -> None:
    spool, _ = opened(tmp_path, segment_bytes=100)
    offsets = [spool.append(2, b"%d" % n * 20) for n in range(20)]
    everything(spool)
    spool.move(shipped=offsets[-1], pending=offsets[-1], floor=offsets[10])
    before = segments.bases(tmp_path)
    spool.tidy()
    assert segments.bases(tmp_path) == before
    spool.tidy(time.time() + 25 * 3600)
    left = segments.bases(tmp_path)
    assert left == [base for base in before if base >= left[0]]
    assert left[0] <= offsets[10] < left[1]
    assert everything(spool, left[0])[-1] == b"19" * 20
    spool.close()
    again, found = opened(tmp_path, segment_bytes=100)
    assert [record.offset for record in found] == offsets[10:]
    again.close()
