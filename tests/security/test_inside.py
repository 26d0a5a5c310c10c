"""Attacks by those who have a key or an account, by upstreams, and by what they all say."""

import pytest

from tests.security.rows import (
    bounds,
    carried,
    injection,
    management_bodies,
    outgoing,
    privilege,
    stored,
    tenancy,
    tenants_traffic,
    tools,
    upstream_choice,
)
from tests.security.table import Absent, Row, parameters, run
from tests.security.world import World

ROWS: list[Row | Absent] = [
    *tenancy.ROWS,
    *stored.ROWS,
    *carried.ROWS,
    *tenants_traffic.ROWS,
    *upstream_choice.ROWS,
    *outgoing.ROWS,
    *tools.ROWS,
    *injection.ROWS,
    *privilege.ROWS,
    *bounds.ROWS,
    *management_bodies.ROWS,
]


@pytest.mark.parametrize("row", parameters(ROWS))
def test_row(world: World, row: Row) -> None:
    run(world, row)
