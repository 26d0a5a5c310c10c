"""What anyone may call without a key and is no document: questions, and protocols of agents."""
