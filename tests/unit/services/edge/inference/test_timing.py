import time

from services.edge.inference.timing import Timing


def test_what_has_not_happened_is_left_out() -> None:
    timing = Timing(time.perf_counter())
    assert timing.header().startswith(b"total;dur=")
    assert timing.first_byte_ms == 0
    timing.authenticated()
    timing.admitted()
    timing.picked()
    timing.calling()
    timing.answered()
    names = [part.split(b";")[0].strip() for part in timing.header().split(b",")]
    assert names == [b"auth", b"admit", b"pick", b"upstream", b"total"]
