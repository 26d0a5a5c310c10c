"""Relay keys: what clients call the gateway with."""
