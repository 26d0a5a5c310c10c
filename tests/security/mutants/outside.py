"""Mechanisms at the door, taken out one by one."""

from tests.security.mutants.hole import Change, Hole

HOLES = [
    Hole(
        "two credentials are as good as one",
        (Change("services/edge/door/head.py", "            ambiguous = True\n", "            pass\n"),),
        ("A-02",),
    ),
]
