"""OpenAPI of the whole gateway: the management API as it is served, and every other route from its row."""
