"""The one way out: every connection to a configured upstream is made here.

It decides which addresses may be called, that a connection goes to a checked one, and who must be at its other end. It
must not know what is asked of an upstream.
"""
