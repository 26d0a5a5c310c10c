"""Attacks by those who have a key or an account, by upstreams, and by what they all say."""

import pytest

from tests.security.table import Absent, Row, parameters, run
from tests.security.world import World

ROWS: list[Row | Absent] = []


@pytest.mark.parametrize("row", parameters(ROWS))
def test_row(world: World, row: Row) -> None:
    run(world, row)
