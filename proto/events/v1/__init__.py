"""Events of the bus, version 1."""
