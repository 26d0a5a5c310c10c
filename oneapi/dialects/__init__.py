"""The wire formats: bytes to facts and back. Pure: no I/O, no clock, no randomness; limits and ids are arguments."""
