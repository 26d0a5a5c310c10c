"""Billing's contracts."""
