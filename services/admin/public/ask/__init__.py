"""Answers questions about this gateway from what is public, without any model."""
