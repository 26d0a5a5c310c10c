"""Planted bugs, and the proof that the harness finds them: `python -m tests.faults.mutants`."""
