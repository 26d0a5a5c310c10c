"""Clients that people use, each against every upstream format, over a whole gateway."""
