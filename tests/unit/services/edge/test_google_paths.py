import pytest

from oneapi.dialects.errors import GatewayError
from services.edge.google_paths import keys_in_query, read_call
from services.edge.inference.addressed import Addressed
from services.edge.inference.endpoints import ADDRESSED_ENDPOINTS


@pytest.mark.parametrize(
    ("path", "query", "model", "stream", "events"),
    [
        (b"/v1beta/models/gemini-2.5-pro:generateContent", b"", "gemini-2.5-pro", False, False),
        (b"/v1/models/gemini-2.5-pro:generateContent", b"key=x", "gemini-2.5-pro", False, False),
        (b"/v1beta/models/m:streamGenerateContent", b"", "m", True, False),
        (b"/v1beta/models/m:streamGenerateContent", b"alt=json", "m", True, False),
        (b"/v1beta/models/m:streamGenerateContent", b"alt=sse&key=x&alt=sse", "m", True, True),
        (b"/v1beta/models/vendor/model:generateContent", b"", "vendor/model", False, False),
        (b"/v1beta/models/vendor%2Fmodel:generateContent", b"", "vendor/model", False, False),
        (b"/v1beta/models/llama3:8b:generateContent", b"", "llama3:8b", False, False),
        (b"/v1beta/models/a%3Afree:generateContent", b"", "a:free", False, False),
        (b"/v1beta/models/a+b%20c:generateContent", b"", "a+b c", False, False),
        (b"/v1beta/models/%C3%A9:generateContent", b"", "\u00e9", False, False),
        (b"/v1beta/models/a:generateContent:generateContent", b"", "a:generateContent", False, False),
    ],
)
def test_calls(path: bytes, query: bytes, model: str, stream: bool, events: bool) -> None:
    verb = b"streamGenerateContent" if stream else b"generateContent"
    assert read_call(path, query) == (ADDRESSED_ENDPOINTS[verb], Addressed(model, stream, events))


def test_a_count_is_a_call_without_a_stream() -> None:
    found = read_call(b"/v1beta/models/a%2Fb:countTokens", b"alt=sse")
    assert found == (ADDRESSED_ENDPOINTS[b"countTokens"], Addressed("a/b", False, True))


@pytest.mark.parametrize(
    "path",
    [
        b"/v1beta/models/:generateContent",
        b"/v1beta/models/m:embedContent",
        b"/v1beta/models/m:generatecontent",
        b"/v1beta/models/m:generateContent/",
        b"/v1beta/models/m:generateContent%20",
        b"/v1beta/models/m%3AgenerateContent",
        b"/v1beta/models/m:generate%43ontent",
        b"/v1beta/models/m",
        b"/v1beta/tunedModels/m:generateContent",
        b"/v1beta/models/a%252Fb:generateContent",
        b"/v1beta/models/%61:generateContent",
        b"/v1beta/models/a//b:generateContent",
        b"/v1beta/models/a%2F%2Fb:generateContent",
        b"/v1beta/models/../m:generateContent",
        b"/v1beta/models/..%2Fm:generateContent",
        b"/v1beta/models/%2e%2e/m:generateContent",
        b"/v1beta/models/m%00:generateContent",
        b"/v1beta/models/m%0A:generateContent",
        b"/v1beta/models/m%ff:generateContent",
        b"/v1beta/models/m;x:generateContent",
        b"/v1beta//models/m:generateContent",
        b"/v1alpha/models/m:generateContent",
        b"/v2/models/m:generateContent",
        b"/sandbox/v1/models/m:generateContent",
    ],
)
def test_what_is_no_call(path: bytes) -> None:
    assert read_call(path, b"") is None


@pytest.mark.parametrize("query", [b"alt=proto", b"alt=", b"alt", b"alt=sse&alt=json", b"alt=SSE", b"alt=%73se"])
def test_framings_that_there_are_not(query: bytes) -> None:
    with pytest.raises(GatewayError) as refused:
        read_call(b"/v1beta/models/m:streamGenerateContent", query)
    assert (refused.value.status, refused.value.param) == (400, "alt")


@pytest.mark.parametrize(
    ("path", "query", "keys"),
    [
        (b"/v1beta/models", b"key=sk-a", [b"sk-a"]),
        (b"/v1beta/models/m:generateContent", b"alt=sse&key=sk-a", [b"sk-a"]),
        (b"/v1/models/m:generateContent", b"key=sk-a&key=sk-a", [b"sk-a", b"sk-a"]),
        (b"/v1beta/models", b"key=", [b""]),
        (b"/v1beta/models", b"key", [b""]),
        (b"/v1beta/models", b"%6bey=sk-a&KEY=sk-b&mykey=sk-c&key%5B%5D=sk-d", []),
        (b"/v1beta/models", b"key=a%2Db", [b"a%2Db"]),
        (b"/v1/models", b"key=sk-a", []),
        (b"/v1/models/m", b"key=sk-a", []),
        (b"/v1/chat/completions", b"key=sk-a", []),
        (b"/api/keys", b"key=sk-a", []),
        (b"/v1betas", b"key=sk-a", []),
    ],
)
def test_keys(path: bytes, query: bytes, keys: list[bytes]) -> None:
    assert keys_in_query(path, query) == keys
