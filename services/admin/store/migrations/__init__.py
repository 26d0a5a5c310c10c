"""The history of the tables, and how a starting replica brings a database up to date."""
