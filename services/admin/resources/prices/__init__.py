"""Prices: versions of what a model costs."""
