"""The money path of the edge: what a request may cost is taken before it runs, and what it did cost is never lost.

`path` is the door to it. The order of its steps is what makes a crash at any point harmless:
the spool first, then Redis, then the upstream; and at the end the spool, then Redis, then the bus.
"""
