"""A proxy that the environment of the gateway under attack names, and that nobody may use: there is nothing."""

_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "grpc_proxy")
PROXIES = {name: "http://127.0.0.1:1" for upper in _NAMES for name in (upper, upper.lower())}
