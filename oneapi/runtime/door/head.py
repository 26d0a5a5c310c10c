"""Reads what a service needs from a request's head, in one pass, and refuses heads that two readers could take
differently.

It decides which header counts when there are several, and must not know whether a credential is valid.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from oneapi.runtime.asgi import Scope
from oneapi.runtime.door import refusals
from oneapi.runtime.door.paths import is_ambiguous

MAX_CREDENTIAL_BYTES = 512
MAX_LENGTH_DIGITS = 19
CLIENT_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")

CREDENTIAL_HEADERS = (b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key")

_WANTED = frozenset(
    (
        *CREDENTIAL_HEADERS,
        b"host",
        b"content-type",
        b"content-length",
        b"content-encoding",
        b"transfer-encoding",
        b"traceparent",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-request-id",
    )
)
_LISTS = frozenset({b"x-forwarded-for"})
_SINGLE = frozenset({b"host", b"content-type", b"content-length", b"content-encoding", b"transfer-encoding"})
_HOST = re.compile(rb"[A-Za-z0-9._\-\[\]:%]+")


class Head(msgspec.Struct, frozen=True, gc=False):
    """What counts of a request's headers.

    `credential` is empty when there is none or no telling which one is meant; `ambiguous`: one of the places that may
    hold it had two.
    """

    credential: str
    ambiguous: bool
    content_type: bytes
    content_length: int
    content_encoding: bytes
    traceparent: str
    client_request_id: str
    forwarded_for: bytes
    forwarded_proto: bytes
    relayed: tuple[tuple[str, str], ...]


class HeadReader:
    """Reads heads. `relayed` are the further headers that a service passes on; of these, `lists` may come in parts."""

    def __init__(self, relayed: Iterable[bytes] = (), lists: Iterable[bytes] = ()) -> None:
        self._relayed = tuple((name, name.decode()) for name in relayed)
        self._wanted = _WANTED.union(relayed)
        self._lists = _LISTS.union(lists)

    def __call__(self, headers: Iterable[tuple[bytes, bytes]], beside: Sequence[bytes] = ()) -> Head:
        """The head of a request with lower-case header names. Raises GatewayError 400 when it is ambiguous.

        `beside` are the credentials that came elsewhere than in headers; one at most is unambiguous.
        """
        found: dict[bytes, bytes] = {}
        ambiguous = len(beside) > 1
        wanted = self._wanted
        for name, value in headers:
            if name not in wanted:
                continue
            if name not in found:
                found[name] = value
            elif name in self._lists:
                found[name] += b"," + value
            elif name in CREDENTIAL_HEADERS:
                ambiguous = True
            elif name in _SINGLE:
                raise refusals.malformed_request()
        if not _HOST.fullmatch(found.get(b"host", b"")):
            raise refusals.malformed_request()
        client_id = found.get(b"x-request-id", b"")
        return Head(
            credential="" if ambiguous else _credential(found, beside),
            ambiguous=ambiguous,
            content_type=found.get(b"content-type", b""),
            content_length=_length(found),
            content_encoding=found.get(b"content-encoding", b""),
            traceparent=_ascii(found.get(b"traceparent", b"")),
            client_request_id=client_id.decode("ascii") if CLIENT_REQUEST_ID.fullmatch(client_id) else "",
            forwarded_for=found.get(b"x-forwarded-for", b""),
            forwarded_proto=found.get(b"x-forwarded-proto", b""),
            relayed=tuple((shown, text) for name, shown in self._relayed if (text := _ascii(found.get(name, b"")))),
        )


_READER = HeadReader()


def inspect(scope: Scope) -> Head:
    """The head of a request that could be read in one way only. Raises GatewayError 400, and 404 for its path."""
    head = _READER(scope["headers"])
    if is_ambiguous(scope["raw_path"]):
        raise refusals.path_not_found()
    return head


def _ascii(value: bytes) -> str:
    return value.decode("ascii") if value.isascii() and len(value) <= MAX_CREDENTIAL_BYTES else ""


def _length(found: Mapping[bytes, bytes]) -> int:
    """The declared length; 0 without a body, -1 when it is only known at its end."""
    encoding = found.get(b"transfer-encoding")
    if encoding is not None:
        if encoding.lower() != b"chunked":
            raise refusals.malformed_request()
        return -1
    value = found.get(b"content-length", b"0")
    if not value.isdigit() or len(value) > MAX_LENGTH_DIGITS:
        raise refusals.malformed_request()
    return int(value)


def _credential(found: Mapping[bytes, bytes], beside: Iterable[bytes]) -> str:
    """The one credential that every given place agrees on; empty for none, two different or a malformed one."""
    given = set(beside)
    for name in CREDENTIAL_HEADERS:
        value = found.get(name)
        if value is None:
            continue
        if name == b"authorization":
            scheme, _, rest = value.partition(b" ")
            value = rest if scheme.lower() == b"bearer" else b""
        given.add(value)
    if len(given) != 1:
        return ""
    (value,) = given
    return _ascii(value)
