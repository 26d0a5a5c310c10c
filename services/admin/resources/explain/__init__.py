"""Which channels the router would take, and why."""
