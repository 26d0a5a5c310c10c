"""The free sandbox: the formats of conversations without a key, answered by the built-in model.

Nobody is authenticated, nothing is reserved, billed, kept or traced, and no provider, router or store is asked.
"""
