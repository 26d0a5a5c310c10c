"""Estimates how many tokens a request has, in a process of its own."""
