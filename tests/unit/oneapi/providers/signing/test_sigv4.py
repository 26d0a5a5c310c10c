"""Signatures, by the test suite that AWS publishes for version 4 ("aws-sig-v4-test-suite")."""

from typing import NamedTuple

import pytest

from oneapi.providers.signing.sigv4 import Credential, Scope, authorization, canonical_query, timestamp

KEY = Credential("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SCOPE = Scope("us-east-1", "service")
NOW_S = 1_440_938_160.0
AT = "20150830T123600Z"
_UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Case(NamedTuple):
    name: str
    signature: str
    target: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


CASES = (
    Case("get-vanilla", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Case("get-utf8", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85", "/ሴ"),
    Case(
        "get-space-unnormalized", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741", "/example space/"
    ),
    Case(
        "get-header-key-duplicate",
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        headers=(("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")),
    ),
    Case(
        "get-header-value-trim",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        headers=(("My-Header1", " value1"), ("My-Header2", ' "a   b   c"')),
    ),
    Case(
        "get-header-value-multiline",
        "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd",
        headers=(("My-Header1", "value1\n  value2\n     value3"),),
    ),
    Case(
        "get-vanilla-with-session-token",
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        headers=(("X-Amz-Security-Token", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"),),
    ),
    Case(
        "get-vanilla-query-order-encoded",
        "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
    ),
    Case(
        "get-vanilla-query-unreserved",
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        f"/?{_UNRESERVED}={_UNRESERVED}",
    ),
    Case("get-vanilla-utf8-query", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04", "/?ሴ=bar"),
    Case(
        "post-vanilla-query",
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        "/?Param1=value1",
        "POST",
    ),
    Case(
        "post-x-www-form-urlencoded",
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        method="POST",
        headers=(
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", "13"),
            ("X-Amz-Content-Sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
        ),
        body=b"Param1=value1",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_published_suite(case: Case) -> None:
    headers = [("Host", "example.amazonaws.com"), ("X-Amz-Date", AT), *case.headers]
    value = authorization(KEY, SCOPE, AT, method=case.method, target=case.target, headers=headers, body=case.body)
    assert value.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ")
    assert value.endswith(f", Signature={case.signature}")


def test_the_time() -> None:
    assert timestamp(NOW_S) == AT
    assert timestamp(NOW_S + 0.9) == AT


def test_parameters_are_ordered_by_name_and_value() -> None:
    assert canonical_query("") == ""
    assert canonical_query("b=2&a=3&a=1&c&d=%7e+%2F") == "a=1&a=3&b=2&c=&d=~%2B%2F"
