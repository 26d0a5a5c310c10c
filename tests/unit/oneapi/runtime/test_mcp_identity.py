import re

import pytest

from oneapi.runtime.mcp_identity import server_name


@pytest.mark.parametrize(
    ("public_url", "name"),
    [
        ("https://gw.example", "example.gw/gateway"),
        ("https://GW.Example:8443/base", "example.gw/gateway"),
        ("http://127.0.0.1:3000", "1.0.0.127/gateway"),
        ("http://localhost:3000", "localhost/gateway"),
        ("http://[::1]:3000", "--1/gateway"),
    ],
)
def test_the_name_is_the_host_backwards(public_url: str, name: str) -> None:
    assert server_name(public_url) == name
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", name)
