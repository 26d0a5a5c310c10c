"""Billing's reports, version 1."""
