"""Events of the bus."""
