"""Ending what was replaced: secrets of keys and tokens after their overlap, and previous secret keys."""
