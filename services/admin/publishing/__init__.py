"""How configuration reaches the bus: its published form, the outbox's publisher, and the comparison with SQL."""
