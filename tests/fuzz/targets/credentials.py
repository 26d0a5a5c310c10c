"""Keys, the head of a request, and sealed secrets.

A key is well formed when a second reading of its format says so. A head either is refused with 400, or it says the same
in any order of its other headers, and takes a credential only when all that are given agree. What opens was sealed.
"""

import functools
import re
import string
import zlib

from oneapi.dialects.errors import GatewayError
from oneapi.runtime import relay_keys
from oneapi.runtime.door.head import Head
from oneapi.runtime.sealing import Sealer, SealError
from services.edge.arrival import read_head
from tests.fuzz.targets.target import Target

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORMS = {
    relay_keys.well_formed: re.compile(r"(sk-[0-9A-Za-z]{40})([0-9A-Za-z]{6})", re.ASCII),
    relay_keys.well_formed_management: re.compile(r"(oat-[0-9A-Za-z]{40})([0-9A-Za-z]{6})", re.ASCII),
}
_KEY = "sk-" + "0aZ9" * 10
_PLACE = "channel/ch_1/api_key"
_SECRET = "upstream-credential"
_sealer = Sealer("a secret key of the tests, long enough")


def _completed(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits: list[str] = []
    while len(digits) < 6:
        digits.append(_DIGITS[number % 62])
        number //= 62
    return body + "".join(reversed(digits))


def check_key(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for ours, form in _FORMS.items():
        found = form.fullmatch(text)
        assert ours(text) == (found is not None and _completed(found[1]) == text)
    assert re.fullmatch("[0-9a-f]{64}", relay_keys.KeyHasher("s" * 32).hash(text))


def _headers(data: bytes) -> list[tuple[bytes, bytes]]:
    lines = [line.partition(b": ") for line in data.split(b"\n")]
    return [(name.lower(), value) for name, _, value in lines]


def _read(headers: list[tuple[bytes, bytes]]) -> Head | None:
    try:
        return read_head(headers)
    except GatewayError as refusal:
        assert refusal.status == 400
        return None


def check_head(data: bytes) -> None:
    headers = _headers(data)
    head = _read(headers)
    assert head == _read(sorted(headers, key=lambda header: header[0]))
    names = [name for name, _ in headers]
    twice = [
        name for name in (b"host", b"content-length", b"transfer-encoding", b"content-type") if names.count(name) > 1
    ]
    if head is None:
        return
    assert names.count(b"host") == 1
    assert not twice
    assert head.content_length >= -1
    assert (head.content_length == -1) == (b"transfer-encoding" in names)
    assert head.credential.isascii()
    assert len(head.credential) <= 512
    given = {
        value.partition(b" ")[2] if name == b"authorization" else value
        for name, value in headers
        if name in {b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key"}
    }
    assert not head.credential or given == {head.credential.encode()}
    assert re.fullmatch("[A-Za-z0-9._-]{0,128}", head.client_request_id)


@functools.cache
def _sealed() -> str:
    return _sealer.seal(_SECRET, bound_to=_PLACE)


def check_sealed(data: bytes) -> None:
    """The input says what becomes of a good text: a place, and what stands there instead."""
    good = _sealed()
    elsewhere = _PLACE + data[4:].decode("utf-8", "replace")
    place = int.from_bytes(data[:2], "big") % (len(good) + 1)
    given = data[4:].decode("utf-8", "surrogateescape")
    for text in (given, good[:place] + given + good[place + (data[2] if len(data) > 2 else 0) :]):
        try:
            opened = _sealer.open(text, bound_to=_PLACE)
        except SealError as refusal:
            assert _SECRET not in str(refusal)
        else:
            assert opened == _SECRET
            assert text == good
    try:
        assert _sealer.open(good, bound_to=elsewhere) == _SECRET
    except SealError:
        assert elsewhere != _PLACE
    else:
        assert elsewhere == _PLACE


TARGETS = {
    "keys": Target([_completed(_KEY).encode(), _completed("oat-" + "0aZ9" * 10).encode(), b"sk-", b"\xff"], check_key),
    "head": Target(
        [
            b"host: gw\nauthorization: Bearer sk-a\ncontent-type: application/json\ncontent-length: 12",
            b"host: [::1]:80\nx-api-key: a\napi-key: a\ntransfer-encoding: chunked\nanthropic-version: 1",
            b"host: a\nhost: b\nx-request-id: abc\nx-forwarded-for: 1.2.3.4\nx-forwarded-for: ::1",
            b"host: gw\ncontent-length: \xb2\nopenai-beta: a\nopenai-beta: b\nx-goog-api-key: sk-a\ntraceparent: 00-a",
        ],
        check_head,
        2,
    ),
    "sealed": Target(
        [b"\0\0\0\0", b"\0\x40\1\0A", b"\0\0\0\0v1.00000000.AAAA.AAAA", b"\0\0\0\0v1....", b"\0\xbf\1\0B"], check_sealed
    ),
}
