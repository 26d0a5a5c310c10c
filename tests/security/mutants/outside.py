"""Mechanisms against those who stand outside."""

from tests.security.mutants import authentication, denial, parsing, secrets

HOLES = [*authentication.HOLES, *parsing.HOLES, *denial.HOLES, *secrets.HOLES]
