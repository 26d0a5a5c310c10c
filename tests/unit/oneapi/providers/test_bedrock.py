"""Bedrock's addresses, credentials and signatures."""

import pytest

from oneapi.providers.bedrock import BEDROCK
from oneapi.providers.spec import Outgoing

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
RUNTIME = "https://bedrock-runtime.us-east-1.amazonaws.com"
NOW_S = 1_440_938_160.0
ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"


def test_addresses() -> None:
    model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    whole = BEDROCK.url(RUNTIME, "bedrock_converse", model)
    assert whole == f"{RUNTIME}/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    assert BEDROCK.url(RUNTIME, "bedrock_converse", model, stream=True) == f"{whole}-stream"
    escaped = "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123"
    assert BEDROCK.url(RUNTIME, "bedrock_converse", ARN) == f"{RUNTIME}/model/{escaped}/converse"
    assert BEDROCK.models_url(RUNTIME) == "https://bedrock.us-east-1.amazonaws.com/foundation-models"
    fips = "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com"
    assert BEDROCK.models_url(fips) == "https://bedrock-fips.us-gov-west-1.amazonaws.com/foundation-models"
    assert BEDROCK.models_url("https://proxy.example/b/") == "https://proxy.example/b/foundation-models"


def test_an_api_key_is_a_bearer_and_signs_nothing() -> None:
    assert BEDROCK.headers("bedrock-api-key-abc=") == [("Authorization", "Bearer bedrock-api-key-abc=")]
    assert BEDROCK.signer("bedrock-api-key-abc=", "https://proxy.example", {}) is None
    assert BEDROCK.signer("", RUNTIME, {}) is None


def test_an_access_key_is_never_sent() -> None:
    for key in (f"{KEY_ID}:{SECRET}", f"{KEY_ID}:{SECRET}:token/+=", "a:b"):
        assert BEDROCK.headers(key) == []


@pytest.mark.parametrize(
    ("base_url", "region"),
    [
        (RUNTIME, "us-east-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("https://vpce-1-a.bedrock-runtime.eu-west-3.vpce.amazonaws.com", "eu-west-3"),
    ],
)
def test_the_region_stands_in_the_base_url(base_url: str, region: str) -> None:
    sign = BEDROCK.signer(f"{KEY_ID}:{SECRET}", base_url, {})
    assert sign is not None
    value = dict(sign(Outgoing("POST", "h", "/", "", b""), NOW_S))["Authorization"]
    assert f"Credential={KEY_ID}/20150830/{region}/bedrock/aws4_request, " in value


def test_a_path_does_not_say_the_region() -> None:
    with pytest.raises(ValueError, match=r"config\.region"):
        BEDROCK.signer(f"{KEY_ID}:{SECRET}", "https://proxy.example/bedrock-runtime.us-east-1.x", {})


def test_a_signed_request() -> None:
    """What botocore makes of the same request."""
    sign = BEDROCK.signer(f"{KEY_ID}:{SECRET}:session", RUNTIME, {})
    assert sign is not None
    target = "/model/a.b-v1%3A0/converse"
    outgoing = Outgoing("POST", "bedrock-runtime.us-east-1.amazonaws.com", target, "application/json", b"{}")
    scope = f"Credential={KEY_ID}/20150830/us-east-1/bedrock/aws4_request"
    names = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token"
    signature = "972b69e2dcc39adf3c203f726febe5ba69d6d4d4cbbc1a10f5b25e5b1610ea28"
    assert dict(sign(outgoing, NOW_S)) == {
        "X-Amz-Date": "20150830T123600Z",
        "X-Amz-Security-Token": "session",
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, {names}, Signature={signature}",
    }
