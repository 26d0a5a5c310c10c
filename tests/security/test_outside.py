"""Attacks by those who stand outside: who gets in, what HTTP says, what is too much, what is shown."""

import pytest

from tests.security.rows import authentication, bodies, denial, framing, google, heads, sandbox, secrets
from tests.security.table import Row, parameters, run
from tests.security.world import World

ROWS = [
    *authentication.ROWS,
    *framing.ROWS,
    *heads.ROWS,
    *google.ROWS,
    *bodies.ROWS,
    *denial.ROWS,
    *secrets.ROWS,
    *sandbox.ROWS,
]


@pytest.mark.parametrize("row", parameters(ROWS))
def test_row(world: World, row: Row) -> None:
    run(world, row)
