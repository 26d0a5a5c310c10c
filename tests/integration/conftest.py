"""Fixtures of the integration tests. The servers' URLs are in tests/servers.py, for every test."""
