"""Which upstreams may be configured, and whether one answers."""
