"""Access keys as channels spell them, and requests that are signed with one."""

import re

import pytest

from oneapi.providers.signing.aws import access_key, signers
from oneapi.providers.signing.sigv4 import Credential
from oneapi.providers.spec import Outgoing

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW_S = 1_440_938_160.0
HOST = "thing.us-east-1.amazonaws.com"
make = signers("thing", re.compile(r"//thing\.(?P<region>[a-z0-9-]+)\."))


def test_access_keys() -> None:
    assert access_key(f"{KEY_ID}:{SECRET}") == Credential(KEY_ID, SECRET)
    assert access_key(f"{KEY_ID}:{SECRET}:token/+=") == Credential(KEY_ID, SECRET, "token/+=")
    assert access_key("no colon") is None
    assert make("no colon", "https://proxy.example", {}) is None


@pytest.mark.parametrize("key", ["a:b", f"{KEY_ID}:", f"{KEY_ID}:{SECRET}:", f":{SECRET}", f"{KEY_ID}:{SECRET}:a:b"])
def test_what_is_no_credential_is_told_without_its_words(key: str) -> None:
    with pytest.raises(ValueError, match="neither an API key nor an access key") as caught:
        make(key, f"https://{HOST}", {})
    assert SECRET not in str(caught.value)


def test_regions() -> None:
    key = f"{KEY_ID}:{SECRET}"
    outgoing = Outgoing("POST", HOST, "/", "", b"")
    for base_url, config, region in (
        (f"https://{HOST}", {}, "us-east-1"),
        (f"https://{HOST}", {"region": "eu-central-1"}, "eu-central-1"),
        ("http://127.0.0.1:9", {"region": "eu-central-1"}, "eu-central-1"),
    ):
        sign = make(key, base_url, config)
        assert sign is not None
        assert f"/20150830/{region}/thing/aws4_request, " in dict(sign(outgoing, NOW_S))["Authorization"]
    with pytest.raises(ValueError, match=r"config\.region"):
        make(key, "https://proxy.example/thing.us-east-1.x", {})


def test_a_signed_request() -> None:
    sign = make(f"{KEY_ID}:{SECRET}:session", f"https://{HOST}", {})
    assert sign is not None
    outgoing = Outgoing("POST", HOST, "/model/a.b-v1%3A0/x", "application/json", b"{}")
    headers = dict(sign(outgoing, NOW_S))
    assert headers["X-Amz-Date"] == "20150830T123600Z"
    assert headers["X-Amz-Security-Token"] == "session"
    names = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="
    assert names in headers["Authorization"]
    changed = (
        (Outgoing("POST", HOST, outgoing.target, "application/json", b"{} "), NOW_S),
        (Outgoing("POST", HOST, "/model/a.b-v1:0/x", "application/json", b"{}"), NOW_S),
        (Outgoing("POST", "elsewhere", outgoing.target, "application/json", b"{}"), NOW_S),
        (outgoing, NOW_S + 1),
    )
    assert all(dict(sign(one, at))["Authorization"] != headers["Authorization"] for one, at in changed)
    assert dict(sign(outgoing, NOW_S)) == headers
    assert "content-type" not in dict(sign(Outgoing("GET", HOST, "/", "", b""), NOW_S))["Authorization"]
