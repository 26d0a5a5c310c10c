"""The router's service, version 1."""
