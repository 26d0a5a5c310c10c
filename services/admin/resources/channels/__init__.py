"""Channels: upstreams with their credentials."""
