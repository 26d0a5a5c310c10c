"""How each upstream vendor is called: URL, credentials, quirks. Data and pure functions."""
