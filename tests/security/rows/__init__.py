"""The rows of the attack table, one module for each kind."""
