"""How a tool server is called: which addresses, with which credential, within which bounds, and what can go wrong."""
