"""Accounts: who pays, and the credits that they were given."""
