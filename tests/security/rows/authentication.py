"""A: who gets in."""

from tests.security.table import Absent, Row
from tests.security.wire import AUTHORIZED, attack, check, get

ROWS: list[Row | Absent] = [
    Row(
        "A-02",
        "schemes that are none of ours",
        check,
        [
            attack("no scheme", get("/v1/models", "authorization: %KEY%"), 401),
            attack("Basic", get("/v1/models", "authorization: Basic %KEY%"), 401),
            attack("two keys", get("/v1/models", AUTHORIZED, AUTHORIZED), 401),
        ],
    ),
]
