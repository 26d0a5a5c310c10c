"""The holes: what is taken out in a copy of the project, and which rows must then fail."""

from tests.security.mutants import inside, outside
from tests.security.mutants.hole import Hole

MUTANTS: list[Hole] = [*outside.HOLES, *inside.HOLES]
