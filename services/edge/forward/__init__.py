"""Passes on what is not the edge's own: to mcp and to admin. It must not know what they do with it."""
