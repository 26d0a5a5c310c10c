import pytest

from oneapi.runtime.egress.addresses import EgressRefused
from services.admin.upstreams.rules import check_address, check_headers, check_secret


def test_headers_have_lower_case_names() -> None:
    assert check_headers({"X-Org": "a b", "Authorization": "Basic x"}) == {"x-org": "a b", "authorization": "Basic x"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "x"},
        {"content-LENGTH": "1"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "close"},
        {"Cookie": "a=b"},
        {"X-Forwarded-For": "1.1.1.1"},
        {"Proxy-Foo": "x"},
        {"Sec-Fetch-Site": "none"},
        {"": "x"},
        {"a b": "x"},
        {"a:": "x"},
        {"é": "x"},
        {"a\r\nb": "x"},
        {"x": ""},
        {"x": "a\r\nb: c"},
        {"x": "a\nb"},
        {"x": "a\0b"},
        {"x": " a"},
        {"x": "ü"},
        {"x": "a" * 5000},
        {"x": "1", "X": "2"},
        {f"x{number}": "1" for number in range(33)},
    ],
    ids=lambda headers: str(headers)[:40],
)
def test_headers_that_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        check_headers(headers)


def test_secrets() -> None:
    assert check_secret("Bearer abc") == "Bearer abc"
    for bad in ("", " a", "a\n", "a\r\nb", "ä", "a" * 5000):
        with pytest.raises(ValueError):
            check_secret(bad)


async def test_addresses_that_need_no_resolving() -> None:
    await check_address("https://93.184.216.34/v1", allow_private=False)
    await check_address("http://127.0.0.1:1/v1", allow_private=True)
    for bad in ("https://10.0.0.1/", "http://93.184.216.34/", "https://93.184.216.34/?a=b", "https://[::1]/"):
        with pytest.raises(EgressRefused):
            await check_address(bad, allow_private=False)
