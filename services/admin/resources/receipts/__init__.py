"""Receipts, logs, usage and balances, as billing knows them."""
