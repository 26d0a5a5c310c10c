"""The spool's folder, written well, then damaged as the input says, then read by the next owner.

What is read is what was written, from the oldest open request on, up to a torn tail; or it says that the spool is
corrupt and guesses nothing. Records of any bytes are refused with the documented exceptions.
"""

import contextlib
import logging
import shutil
import tempfile
from pathlib import Path

import msgspec

from services.edge.money import records, recovery, segments
from services.edge.money.segments import Record, SpoolCorrupt
from services.edge.money.spool import Spool
from tests.fuzz.targets.target import Target

_TENT = records.Tent("req_1", "acc_1", "", "key_1", "m", "chat", "", "", True, 5, {"input": 2}, 40, 1_790_000_000_000)
_WRITTEN = [
    (records.TENT, records.encode_tent(_TENT)),
    (records.OPEN, records.encode_detail(0, records.Opened(5, True, ("acc_1",), 1, 2))),
    (records.ATTEMPT, records.encode_detail(0, records.Attempted(1, "ch_1", "m", "p", {"input": 2}))),
    (records.CHECKPOINT, records.encode_detail(0, records.Checkpoint(12, {"output": 3}))),
    (records.FINAL, records.encode_event(0, b"event")),
]


_MEMORY = Path("/dev/shm")  # where syncing costs nothing


class _Folder:
    """One sound spool of a few segments, kept in memory and laid down anew for each case."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="spool-", dir=_MEMORY if _MEMORY.is_dir() else None))
        with contextlib.closing(Spool(self.path, edge_id="e", segment_bytes=300)) as spool:
            list(spool.recover())
            spool.begin()
            for kind, payload in _WRITTEN * 3:
                spool.append(kind, payload)
                spool.flush()
            spool.move(shipped=spool.end // 2, pending=spool.end // 2, floor=0)
        self.files = {file.name: file.read_bytes() for file in self.path.iterdir()}
        with contextlib.closing(Spool(self.path)) as spool:
            self.sound = [(r.offset, r.kind, r.payload) for r in spool.recover()]

    def lay_down(self) -> None:
        shutil.rmtree(self.path)
        self.path.mkdir()
        for name, content in self.files.items():
            (self.path / name).write_bytes(content)


_folder: list[_Folder] = []


def _the_folder() -> _Folder:
    if not _folder:
        _folder.append(_Folder())
    return _folder[0]


def _damage(folder: Path, data: bytes) -> None:
    """Each six bytes are one damage: which file, where, what kind; then its byte, or a length."""
    names = sorted(file.name for file in folder.iterdir() if file.name != "lock")
    for start in range(0, min(len(data), 24), 6):
        which, *place, how, byte = data[start : start + 6].ljust(6, b"\0")
        path = folder / names[which % len(names)]
        if not path.exists():
            continue
        content = bytearray(path.read_bytes())
        at = int.from_bytes(place, "big") % (len(content) + 1)
        match how % 6:
            case 0:
                content[at : at + 1] = bytes([byte])
            case 1:
                del content[at:]
            case 2:
                content[at:at] = data[24:]
            case 3:
                del content[at : at + byte]
            case 4:
                path.unlink()
                continue
            case _:
                content[at:] = bytes(len(content) - at)
        path.write_bytes(content)


def check_folder(data: bytes) -> None:
    logging.disable(logging.CRITICAL)  # each damage is told, and would be half of the time
    try:
        _check_folder(data)
    finally:
        logging.disable(logging.NOTSET)


def _check_folder(data: bytes) -> None:
    folder = _the_folder()
    folder.lay_down()
    _damage(folder.path, data)
    try:
        spool = Spool(folder.path)
    except SpoolCorrupt:
        return
    with contextlib.closing(spool):
        try:
            found = [(record.offset, record.kind, record.payload) for record in spool.recover()]
        except SpoolCorrupt:
            return
        assert set(found) <= set(folder.sound), "a record was read that was never written"
        assert found == [record for record in folder.sound if found and found[0][0] <= record[0] <= found[-1][0]]
        # From here on it is a spool like another: what is appended is read again.
        spool.begin()
        offset = spool.append(records.SYNC, b"after")
        spool.flush()
        records_read, _ = spool.read(offset, spool.end, frozenset({records.SYNC}))
        assert not records_read or records_read[0].payload == b"after"
    with contextlib.closing(Spool(folder.path)) as again:
        assert (offset, records.SYNC, b"after") in [(r.offset, r.kind, r.payload) for r in again.recover()]


def check_segment(data: bytes) -> None:
    """Both readers of a segment agree; every record read has the bytes that its encoding would have."""
    found = list(segments.records(data, 0, 1_000))
    assert b"".join(segments.encode(r.kind, r.payload) for r in found) == data[: found[-1].end - 1_000 if found else 0]
    chosen, reach = segments.chosen(data, 1_000, frozenset(range(1, 32)))
    assert chosen == found
    assert reach == (found[-1].end if found else 1_000)
    assert segments.sound_after(data, -1) or not found
    # And one that is sound, whatever its payload is.
    for kind in (1, 31):
        record = segments.encode(kind, data)
        assert segments.decode(record, 0) == (kind, segments.HEADER_BYTES, len(record))


def check_records(data: bytes) -> None:
    """Payloads of any bytes: read, or refused with the documented exception; a story of them has an end."""
    kind, payload = (data[0] % 12, data[1:]) if data else (0, b"")
    found = [
        Record(0, 100, records.TENT, _WRITTEN[0][1]),
        Record(100, 200, kind, payload),
        Record(200, 300, records.CHECKPOINT, records.encode_detail(0, records.Checkpoint(3, None))),
    ]
    try:
        stories = recovery.unfinished(found[: 2 + len(payload) % 2], {0: len(data)})
    except msgspec.MsgspecError:
        return
    for story in stories.values():
        # Amounts that no edge writes may not fit into the event.
        with contextlib.suppress(ValueError):
            recovery.finish(story, edge_id="e", now_ms=1_790_000_000_900)


_SEGMENT = b"".join(segments.encode(kind, payload) for kind, payload in _WRITTEN)
TARGETS = {
    "spool": Target(
        [b"", bytes(6), b"\2\0\0\x40\0\xff", b"\4\0\0\x30\1\0", b"\0\0\0\0\4\0\1\0\0\3\0\xff"], check_folder
    ),
    "segment": Target([_SEGMENT, _SEGMENT[:-3], segments.encode(1, b"{}") * 3], check_segment, 2),
    "records": Target([bytes([kind]) + payload for kind, payload in _WRITTEN], check_records, 2),
}
