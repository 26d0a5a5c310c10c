"""The MCP gateway: one Streamable HTTP server in front, many behind.

A relay key sees and calls the tools that it may, of every configured server, and never a server's credential.
"""
