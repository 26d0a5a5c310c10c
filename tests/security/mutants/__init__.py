"""Planted holes, and the proof that the table finds them: `python -m tests.security.mutants`."""
