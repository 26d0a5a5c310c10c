import pytest

from oneapi.dialects.errors import GatewayError
from oneapi.runtime.door.head import HeadReader, inspect

read_head = HeadReader()
HOST = (b"host", b"gw.example:3000")
KEY = b"sk-abc"


@pytest.mark.parametrize(
    ("headers", "credential"),
    [
        ([], ""),
        ([(b"authorization", b"Bearer " + KEY)], "sk-abc"),
        ([(b"authorization", b"bearer " + KEY)], "sk-abc"),
        ([(b"authorization", b"BEARER " + KEY)], "sk-abc"),
        ([(b"authorization", b"Bearer")], ""),
        ([(b"authorization", b"Bearer ")], ""),
        ([(b"authorization", b"Basic " + KEY)], ""),
        ([(b"authorization", KEY)], ""),
        ([(b"x-api-key", KEY)], "sk-abc"),
        ([(b"api-key", KEY)], "sk-abc"),
        ([(b"x-goog-api-key", KEY)], "sk-abc"),
        ([(b"authorization", b"Bearer " + KEY), (b"x-api-key", KEY)], "sk-abc"),
        ([(b"authorization", b"Bearer " + KEY), (b"x-api-key", b"sk-other")], ""),
        ([(b"authorization", b"Basic x"), (b"x-api-key", KEY)], ""),
        ([(b"authorization", b"Bearer " + KEY), (b"authorization", b"Bearer " + KEY)], ""),
        ([(b"x-api-key", KEY + b"\xc3\xa9")], ""),
        ([(b"x-api-key", b"k" * 513)], ""),
        ([(b"x_api_key", KEY)], ""),
    ],
)
def test_credential(headers: list[tuple[bytes, bytes]], credential: str) -> None:
    assert read_head([HOST, *headers]).credential == credential


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [HOST, HOST],
        [(b"host", b"")],
        [(b"host", b"gw/v1/models?")],
        [(b"host", b"a@b")],
        [(b"host", b"x y")],
        [HOST, (b"content-length", b"+3")],
        [HOST, (b"content-length", b"0" * 5_000 + b"3")],
        [HOST, (b"transfer-encoding", b"gzip, chunked")],
        [HOST, (b"content-length", b"3"), (b"content-length", b"3")],
        [HOST, (b"content-type", b"application/json"), (b"content-type", b"text/plain")],
    ],
)
def test_heads_that_can_be_read_in_two_ways_are_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(GatewayError) as refused:
        read_head(headers)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("headers", "beside", "credential", "ambiguous"),
    [
        ([], [KEY], "sk-abc", False),
        ([(b"x-goog-api-key", KEY)], [KEY], "sk-abc", False),
        ([(b"x-goog-api-key", b"sk-other")], [KEY], "", False),
        ([(b"authorization", b"Bearer a"), (b"x-api-key", b"b")], [KEY], "", False),
        ([(b"authorization", b"Basic a")], [KEY], "", False),
        ([(b"x-goog-api-key", KEY)], [b""], "", False),
        ([], [b""], "", False),
        ([], [KEY, KEY], "", True),
        ([], [b"k" * 513], "", False),
        ([], [b"\xff"], "", False),
    ],
)
def test_credentials_beside_the_headers(
    headers: list[tuple[bytes, bytes]], beside: list[bytes], credential: str, ambiguous: bool
) -> None:
    head = read_head([HOST, *headers], beside)
    assert (head.credential, head.ambiguous) == (credential, ambiguous)


def test_length() -> None:
    assert read_head([HOST]).content_length == 0
    assert read_head([HOST, (b"content-length", b"12")]).content_length == 12
    assert read_head([HOST, (b"transfer-encoding", b"chunked")]).content_length == -1


def test_what_travels_on() -> None:
    reader = HeadReader(relayed=(b"anthropic-version", b"anthropic-beta"), lists=(b"anthropic-beta",))
    head = reader(
        [
            HOST,
            (b"anthropic-beta", b"a"),
            (b"anthropic-beta", b"b"),
            (b"anthropic-version", b"2023-06-01"),
            (b"cookie", b"session=1"),
            (b"idempotency-key", b"mine"),
            (b"x-request-id", b"client_1.a-B"),
            (b"x-oneapi-strict", b"1"),
            (b"x-forwarded-proto", b"https"),
            (b"traceparent", b"00-1-2-01"),
        ]
    )
    assert dict(head.relayed) == {"anthropic-beta": "a,b", "anthropic-version": "2023-06-01"}
    assert head.client_request_id == "client_1.a-B"
    assert head.forwarded_proto == b"https"
    assert head.traceparent == "00-1-2-01"


@pytest.mark.parametrize("value", [b"", b"a b", b"a\tb", b"x" * 129, b"{}", b"\xff"])
def test_a_request_id_of_another_form_is_not_kept(value: bytes) -> None:
    assert read_head([HOST, (b"x-request-id", value)]).client_request_id == ""


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ([HOST], b"/a", 200),
        ([], b"/a", 400),
        ([HOST], b"//a", 404),
        ([HOST], b"/%2e%2e/a", 404),
        ([HOST], b"*", 404),
    ],
)
def test_heads_and_paths_at_once(headers: list[tuple[bytes, bytes]], path: bytes, status: int) -> None:
    scope = {"headers": headers, "raw_path": path}
    if status == 200:
        assert inspect(scope).content_length == 0
        return
    with pytest.raises(GatewayError) as refused:
        inspect(scope)
    assert refused.value.status == status


def test_one_header_twice_is_ambiguous_and_two_headers_are_not() -> None:
    assert read_head([HOST, (b"authorization", b"Bearer a"), (b"authorization", b"Bearer a")]).ambiguous
    assert not read_head([HOST, (b"authorization", b"Bearer a"), (b"x-api-key", b"b")]).ambiguous
