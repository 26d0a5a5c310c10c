"""Load under ten faults: what `make test` has time for."""

from pathlib import Path

import pytest

from tests.faults.run import ENOUGH_STREAMS, LEAVERS, run, summary
from tests.faults.schedule import draw_short

SEED = 20
REQUESTS = 1_500


@pytest.mark.timeout(240)
def test_nothing_is_lost_or_charged_twice_under_faults(tmp_path: Path) -> None:
    faults = draw_short(SEED)
    verdict, counts = run(tmp_path, SEED, REQUESTS, faults)
    print(counts)
    print(summary(verdict, len(faults), SEED))
    assert verdict.good, "\n".join(verdict.complaints)
    assert counts.answered >= REQUESTS
    assert counts.streams > ENOUGH_STREAMS
    assert counts.left >= LEAVERS * counts.streams
