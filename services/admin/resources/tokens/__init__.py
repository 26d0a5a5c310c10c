"""Management tokens: what scripts call this API with."""
