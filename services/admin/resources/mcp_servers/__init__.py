"""MCP servers: where tools come from."""
