"""A proxy that the environment of the gateway under attack names, and that nobody may use: there is nothing."""

PROXIES = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:1")
