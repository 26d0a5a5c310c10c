"""The router's contracts."""
